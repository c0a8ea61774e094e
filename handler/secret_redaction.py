"""Where `RedactValues` was until it moved into the package of the client."""

from secret_client.redaction import RedactValues

__all__ = ["RedactValues"]
