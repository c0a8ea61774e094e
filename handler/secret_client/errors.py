"""The errors. No text contains a value."""

# The next step when there was no response.
NETWORK = "in a VPC, check its endpoints and their security groups; otherwise, https://health.aws.amazon.com"


class SecretError(Exception):
    """A value could not be read. The text names it and the next step, and never the value.

    It is one line: names may come from a caller, and AWS quotes them.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(
            "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
        )


class SecretNotFound(SecretError):
    """There is no such secret, parameter, version, stage or label."""


class AccessDenied(SecretError):
    """The function's role may not read it."""


class DecryptionFailed(SecretError):
    """The KMS key is disabled or gone, or the role may not use it."""


class Throttled(SecretError):
    """AWS limits the rate of these calls; try again later."""


class Unavailable(SecretError):
    """There was no response, or not in time."""


class InvalidValue(SecretError):
    """The value exists, but not in the form that was asked for."""


TRANSIENT = (Throttled, Unavailable)

# Tracebacks name the package that applications import these from.
for _error in (SecretError, *SecretError.__subclasses__()):
    _error.__module__ = __package__ or ""
