"""What `readers` must satisfy beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Collection, Iterator

from ...aws import layers
from ...aws.location import Location
from ..errors import ConfigError
from ..functions import READER
from ..schema import Settings
from . import names as name_rules


def errors(
    settings: Settings,
    secret_names: Collection[str],
    function_names: Collection[str],
    region: str,
) -> Iterator[ConfigError]:
    """Yield an error for each broken rule.

    `secret_names` include those of secrets with errors, `function_names` are those in
    `functions`; `region` is the stack's own, or empty.
    """
    yield from _names(settings, function_names or [READER])
    yield from _roles(settings, region)
    for name, reader in settings.readers.items():
        path = f"readers.{name}.secrets"
        for secret in sorted({each for each in reader.secrets if reader.secrets.count(each) > 1}):
            yield ConfigError(path, f"lists {secret!r} more than once; keep one")
        if not reader.secrets:
            yield ConfigError(path, "lists no secret; add one, or remove the reader")
        for secret in dict.fromkeys(reader.secrets):
            if secret not in secret_names:
                listed = ", ".join(sorted(secret_names)) or "`secrets`, which is empty"
                of = () if secret_names else ("secrets",)
                yield ConfigError(path, f"must be one of {listed}, got {secret!r}", of)
            elif secret in settings.admin_secrets:
                rule = f"lists {secret!r}, an admin secret"
                yield ConfigError(path, f"{rule}; remove it, or choose another")
            elif secret in settings.existing_secrets:
                rule = f"lists {secret!r}, an existing secret"
                remedy = "remove it, and let the secret's owner grant access"
                yield ConfigError(path, f"{rule}; {remedy}")


def _names(settings: Settings, function_names: Collection[str]) -> Iterator[ConfigError]:
    for name in settings.readers:
        yield from name_rules.logical("readers", name)
        # The output `read_policy_arns` has both by name.
        if name in function_names:
            yield ConfigError(
                f"readers.{name}", "is also the name of a function; choose another name"
            )


def _roles(settings: Settings, region: str) -> Iterator[ConfigError]:
    partition = layers.partition(region)
    for name, reader in settings.readers.items():
        if partition not in (None, Location.of(reader.role).partition):
            rule = f"must be in the partition {partition!r} of aws:region {region!r}"
            yield ConfigError(f"readers.{name}.role", f"{rule}, got {reader.role!r}")
    roles = [reader.role for reader in settings.readers.values()]
    for role in sorted({each for each in roles if roles.count(each) > 1}):
        yield ConfigError("readers", f"lists the role {role} more than once; combine its readers")
