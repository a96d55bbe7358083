"""Settings as a user types them."""


def flags(settings: dict) -> list[str]:
    """Settings by their flat names as a command line of `emkd train`; what is not among
    them is the model's own on any machine."""
    settings = {"preset": "none", **settings}
    return [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]
