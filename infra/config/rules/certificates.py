"""Whether TLS to the databases can be verified. Pure: no Pulumi, no boto3."""

from collections.abc import Iterator, Mapping

from infra.aws import rds_certificates
from infra.config.errors import ConfigError
from infra.config.functions import functions
from infra.config.rules.rotation import is_database, server_of
from infra.config.schema import SecretSettings, Settings


def errors(
    settings: Settings, secrets: Mapping[str, SecretSettings], region: str
) -> Iterator[ConfigError]:
    """Refuse databases of a region that the bundle which is packed by default has no root of.

    `secrets` are those without errors of their own; `region` is the stack's own, or nothing.
    """
    if settings.database.ca_bundle is not None:
        return
    needed: dict[str, str] = {}  # region -> the first that needs it
    for name, secret in secrets.items():
        if secret.existing is None and is_database(secret):
            for each in _regions([secret], region):
                needed.setdefault(each, f"secrets.{name}.rotation")
    for function in functions(settings).values():
        if function.settings.ca_bundle:
            read = [secrets[name] for name in function.settings.secrets if name in secrets]
            for each in _regions(read, region):
                needed.setdefault(each, function.section)
    for each in sorted(needed.keys() - rds_certificates.regions()):
        yield ConfigError(
            "database.caBundle",
            f"is not set, and the bundle has no certificate of {each}, which {needed[each]} needs;"
            " set it to AWS's bundle for that region"
            " (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html),"
            " or to handler/rds-ca-bundle.pem if the database is in another one",
        )


def _regions(secrets: list[SecretSettings], region: str) -> set[str]:
    """Return the regions of databases, as far as hosts say; otherwise the stack's own."""
    servers = [server for secret in secrets if (server := server_of(secret))]
    found = {
        rds_certificates.region_of(server.host) or region
        for server in servers
        if not server.is_rds_proxy
    }
    return (found if servers else {region}) - {""}
