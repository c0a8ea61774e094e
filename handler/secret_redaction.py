"""The former module of `RedactValues`, which is now in the package of the client."""

from secret_client.redaction import RedactValues

__all__ = ["RedactValues"]
