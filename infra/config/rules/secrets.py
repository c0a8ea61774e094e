"""What `secrets` must satisfy beyond each key by itself. Pure: no Pulumi, no boto3."""

import json
from collections.abc import Collection, Iterator, Mapping

from ...aws import layers, limits
from ...aws.location import Location
from ..errors import ConfigError
from ..schema import SecretSettings
from . import generated, sensitive


def errors(
    secrets: Mapping[str, SecretSettings], prefix: str, names: Collection[str], region: str
) -> Iterator[ConfigError]:
    """Yield an error for each broken rule.

    `prefix` is that of all full names, `names` include those of secrets with errors; `region`
    is the stack's own, or empty.
    """
    yield from _repeated(secrets)
    if not names:
        yield ConfigError("secrets", "is empty; add at least one secret")
    for name, secret in secrets.items():
        path = f"secrets.{name}"
        if not name:
            yield ConfigError("secrets", "has a secret with an empty name; name it")
        yield from sensitive.errors(f"{path}.description", secret.description)
        if secret.existing is not None:
            yield from _existing(path, secret, region)
            continue
        if secret.key_arn is not None:
            rule = "is only for `existing` secrets; others are encrypted with the stack's key"
            yield ConfigError(f"{path}.keyArn", f"{rule}; remove it", (f"{path}.existing",))
        for error in limits.secret_name_errors(prefix + name):
            yield ConfigError(path, f"becomes a name that {error}; rename it")
        if secret.source == "generate":
            yield from _generated(path, secret)
            continue
        for key in ("fields", "generate"):
            if getattr(secret, key):
                message = f"is only for `from: generate`, not {secret.source!r}; remove it"
                yield ConfigError(f"{path}.{key}", message)


def _repeated(secrets: Mapping[str, SecretSettings]) -> Iterator[ConfigError]:
    first: dict[str, str] = {}
    for name, secret in secrets.items():
        if secret.existing and (other := first.setdefault(secret.existing, name)) != name:
            rule = f"is also the ARN of secrets.{other}; keep one"
            yield ConfigError(f"secrets.{name}.existing", rule)


def _existing(path: str, secret: SecretSettings, region: str) -> Iterator[ConfigError]:
    """Reject keys that would create or change an existing secret."""
    for key in sorted(secret.model_fields_set - {"existing", "key_arn", "description"}):
        alias = SecretSettings.model_fields[key].alias
        yield ConfigError(
            f"{path}.{alias}", "cannot be combined with `existing`; remove one of them"
        )
    arn = secret.existing or ""
    partition, home = layers.partition(region), Location.of(arn)
    if partition not in (None, home.partition):
        rule = f"must be in the partition {partition!r} of aws:region {region!r}"
        yield ConfigError(f"{path}.existing", f"{rule}, got {arn!r}")
    if secret.key_arn and Location.of(secret.key_arn)[:2] != home[:2]:
        rule = f"must be a key in the secret's region {home.region!r} ({home.partition})"
        yield ConfigError(f"{path}.keyArn", f"{rule}, got {secret.key_arn!r}")


def _generated(path: str, secret: SecretSettings) -> Iterator[ConfigError]:
    if not secret.fields and not secret.generate:
        rule = "has neither `fields` nor `generate`"
        yield ConfigError(path, f"{rule}; add one, or set `from` to `config` or `external`")
    for field in sorted(secret.fields.keys() & secret.generate.keys()):
        yield ConfigError(f"{path}.fields.{field}", "is also in `generate`; keep one")
    for field, plain in secret.fields.items():
        if sensitive.looks_sensitive(field, plain):
            remedy = "use `generate`, or `from: config`"
            yield sensitive.error(f"{path}.fields.{field}", remedy)
    for field, rules in secret.generate.items():
        yield from generated.errors(f"{path}.generate.{field}", rules)
    # JSON escapes quotes and backslashes, but nothing else that is generated.
    most = len(json.dumps(secret.fields).encode()) + sum(
        len(field) + 2 * rules.length + len('"": "", ') for field, rules in secret.generate.items()
    )
    if most > limits.SECRET_VALUE_BYTES:
        rule = f"must have at most {limits.SECRET_VALUE_BYTES} bytes"
        yield ConfigError(path, f"{rule}, but could have up to {most}")
