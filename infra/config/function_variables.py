"""The environment variables of a function. Pure: no Pulumi, no boto3."""

from ..names import Names
from .functions import AppFunction
from .schema import Settings


def of(function: AppFunction, settings: Settings, names: Names) -> dict[str, str]:
    """Return its own variables and those of the client, without those of the extension."""
    own = function.settings
    variables = {
        "SECRET_PREFIX": names.secret_prefix,
        "SECRETS_CACHE_SECONDS": str(function.client_cache_seconds()),
        "SECRETS_TELEMETRY": str(own.telemetry).lower(),
    }
    first = settings.secrets.get(own.secrets[0]) if own.secrets else None
    if first:
        variables["SECRET_NAME"] = first.existing or names.secret(own.secrets[0])
    if own.parameters:
        variables["PARAMETER_PREFIX"] = names.parameter_prefix
    if settings.replica_regions:
        variables["SECRETS_REPLICA_REGIONS"] = ",".join(settings.replica_regions)
    return variables | own.environment
