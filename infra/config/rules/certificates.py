"""Whether TLS to the databases can be verified. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator, Mapping

from ...aws import rds_certificates
from ..errors import ConfigError
from ..functions import functions
from ..schema import SecretSettings, Settings
from ..shared import postgres_fields
from .rotation import is_database, server_of


def errors(
    settings: Settings, secrets: Mapping[str, SecretSettings], region: str
) -> Iterator[ConfigError]:
    """Reject databases in regions for which the default CA bundle has no root certificate.

    `secrets` are those without errors of their own; `region` is the stack's own, or empty.
    """
    if settings.database.ca_bundle is not None:
        return
    needed: dict[str, str] = {}  # region -> the first that needs it
    for name, secret in secrets.items():
        if secret.existing is None and is_database(secret):
            for each in _regions([server_of(secret)], region):
                needed.setdefault(each, f"secrets.{name}.rotation")
    for function in functions(settings).values():
        if function.settings.ca_bundle:
            read = [secrets[name] for name in function.settings.secrets if name in secrets]
            servers = [postgres_fields.server(secret.fields) for secret in read]
            for each in _regions(servers, region):
                needed.setdefault(each, function.section)
    for each in sorted(needed.keys() - rds_certificates.regions()):
        yield ConfigError(
            "database.caBundle",
            f"is not set, and the default bundle has no certificate for {each}, which"
            f" {needed[each]} needs; set it to AWS's bundle for that region"
            " (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html),"
            " or to handler/rds-ca-bundle.pem if the database is in another region",
        )


def _regions(servers: list[postgres_fields.Server | None], region: str) -> set[str]:
    """Return the regions of the RDS endpoints; if none is known, the stack's own."""
    known = [server for server in servers if server and rds_certificates.region_of(server.host)]
    regions = {rds_certificates.region_of(each.host) for each in known if not each.is_rds_proxy}
    return {each for each in (regions if known else {region}) if each}
