"""Reads secrets and parameters in a Lambda function through AWS's extension.

It has no dependencies: copy the folder `secret_client` into your package. Make one `SecretClient`
for each execution environment and call it inside the
handler:

    secrets = SecretClient()

    def lambda_handler(event, context):
        password = secrets.get_secret("app/database", context=context).json["password"]

A cached value costs a dictionary look-up. Otherwise one thread asks the AWS Parameters and
Secrets Lambda Extension over a plain socket. If that fails, it asks AWS itself, which also names
the cause, and if the region does not answer, the replica regions: with a signed request of the
standard library, or with boto3 where only boto3 knows the settings. No error, log line or `repr`
made here holds a value.

Environment variables, read when the client is made:
    SECRETS_CACHE_SECONDS: longest time a value is cached here (default 150). The extension caches
        it for SECRETS_MANAGER_TTL; no value is served that is older than the two together.
    SECRETS_REPLICA_REGIONS: regions to read replicas of secrets from, in order, with commas.
    SECRETS_TELEMETRY: `true` prints metrics.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
"""

from .client import SecretClient
from .value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import (
        AccessDenied,
        DecryptionFailed,
        InvalidValue,
        SecretError,
        SecretNotFound,
        Throttled,
        Unavailable,
    )

__all__ = [
    "AccessDenied",
    "DecryptionFailed",
    "InvalidValue",
    "SecretClient",
    "SecretError",
    "SecretNotFound",
    "Throttled",
    "Unavailable",
    "Value",
]
# Tracebacks and `repr` name the module that applications import from.
SecretClient.__module__ = Value.__module__ = __name__


def __getattr__(name: str) -> object:
    """Load the errors when one is asked for; a cold start without an error may do without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import errors

    return getattr(errors, name)
