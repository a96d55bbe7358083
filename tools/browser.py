"""A headless browser for tests and for pictures in the documentation."""

import shutil
from contextlib import contextmanager

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def missing() -> str | None:
    """Says what is missing to open a browser, if anything is."""
    if not any(map(shutil.which, _NAMES)):
        return f"no browser: none of {', '.join(_NAMES)} is installed"
    return None if shutil.which("chromedriver") else "chromedriver is not installed"


@contextmanager
def browser(width=1200, height=900, theme="light"):
    """Yields a browser with a size in pixels and a preferred colour theme."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = next(filter(None, map(shutil.which, _NAMES)))
    # The CPU draws graphics, for pages that need WebGL.
    graphics = ("use-gl=angle", "use-angle=swiftshader", "enable-unsafe-swiftshader")
    for flag in ("headless=new", "no-sandbox", "hide-scrollbars", *graphics):
        options.add_argument(f"--{flag}")
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1}
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {**metrics, "mobile": width < 600}
        )
        feature = {"name": "prefers-color-scheme", "value": theme}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        yield driver
    finally:
        driver.quit()
