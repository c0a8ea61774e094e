"""What `readers` must keep to beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Collection, Iterator

from infra.config.errors import ConfigError
from infra.config.schema import Settings


def errors(settings: Settings, secret_names: Collection[str]) -> Iterator[ConfigError]:
    """Say which rules are broken; `secret_names` are those of all secrets, also of wrong ones."""
    for name, reader in settings.readers.items():
        path = f"readers.{name}.secrets"
        if not reader.secrets:
            yield ConfigError(path, "names no secret; name one, or drop the reader")
        for secret in reader.secrets:
            if secret not in secret_names:
                listed = ", ".join(sorted(secret_names)) or "no secret, as there is none"
                yield ConfigError(path, f"must be one of {listed}, got {secret!r}")
            elif secret in settings.admin_secrets:
                rule = f"names {secret!r}, which is an administrator's"
                yield ConfigError(path, f"{rule}; drop it, or name another")
            elif secret in settings.existing_secrets:
                rule = f"names {secret!r}, which exists already, and whose owner grants it"
                yield ConfigError(path, f"{rule}; drop it, and grant it there")
    roles = [reader.role for reader in settings.readers.values()]
    for role in sorted({each for each in roles if roles.count(each) > 1}):
        yield ConfigError("readers", f"name the role {role} more than once; list its secrets once")
