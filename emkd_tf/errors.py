"""Errors that a user can fix: one line of what, where and how, and an exit code."""


class InputError(ValueError):
    """Bad input or configuration."""

    exit_code = 2


class DataUnavailableError(RuntimeError):
    """A file can neither be found nor downloaded."""

    exit_code = 3


class NonFiniteLossError(ArithmeticError):
    """A loss became NaN or infinite."""

    exit_code = 4


class WorkerLostError(RuntimeError):
    """Another worker of a distributed training run is gone."""

    exit_code = 5


class ServingError(RuntimeError):
    """A model server refused a request, failed or did not answer.

    Attributes:
        status: gRPC's status name, over REST too: "NOT_FOUND", "UNAVAILABLE".
    """

    exit_code = 6

    def __init__(self, message: str, status: str = "UNKNOWN"):
        super().__init__(message)
        self.status = status


class CheckFailedError(RuntimeError):
    """A result failed a self-check; not the user's fault."""

    exit_code = 1


USER_ERRORS = (
    InputError,
    DataUnavailableError,
    NonFiniteLossError,
    WorkerLostError,
    ServingError,
    CheckFailedError,
)
