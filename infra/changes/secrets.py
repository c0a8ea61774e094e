"""Rejects changes of a secret's source or text that would lose its value. Pure: no Pulumi.

With `from: config`, the configured text becomes the current version, whatever the current one is.
With `from: generate`, the seeder keeps the fields of a JSON object and rejects any other text.
Only Secrets Manager knows a version that did not come from the config; ListSecretVersionIds
returns its id without its value.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping

from ..config.errors import ConfigError
from ..config.schema import SecretSettings
from ..names import Names
from . import commands
from .recorded import Recorded, Secret

_VERSION = "aws:secretsmanager/secretVersion:SecretVersion"

Current = Callable[[str], str | None]
"""ARN of a secret -> id of its AWSCURRENT version; None if it has no value."""


def errors(
    secrets: Mapping[str, SecretSettings], names: Names, state: Recorded, current: Current
) -> Iterator[ConfigError]:
    """Yield an error for each secret that would lose its value or fail, with what keeps it.

    `current` is called only if the state is not sufficient.
    """
    for name, secret in secrets.items():
        recorded = state.secrets.get(name)
        if recorded is None:
            continue
        own = recorded.version
        if secret.source == "config" and not (own and own.is_configured):
            version = current(recorded.arn)
            if version and version != (own and own.id):
                yield ConfigError(f"secrets.{name}", _overwrites(name, names, recorded, version))
        elif secret.source == "generate" and own and not own.is_object:
            field = next(iter(secret.generate), "value")
            if current(recorded.arn) == own.id:
                yield ConfigError(f"secrets.{name}", _is_stuck(names, recorded, field))


def _overwrites(name: str, names: Names, secret: Secret, version: str) -> str:
    stack, parent = names.stack, names.component("AppSecret", name)
    # Pulumi rejects the import while the state has another version under that name.
    release = [f"pulumi state delete '{secret.version.urn}' -s {stack}"] if secret.version else []
    return (
        f"has a value that this config did not set (version {version}). This deployment would"
        " replace it by the one in secretValues. "
        + commands.listed(
            "To keep that value, copy it into the config, and import its version:",
            f"{commands.read_secret(secret.full_name)} | {commands.set_value(name, stack)}",
            *release,
            commands.take_over(
                _VERSION, f"{name}-value", f"{secret.arn}|{version}", parent, stack
            ),
            commands.deploy(stack),
        )
        + "\nIf that value is not needed, skip the first command and run the others."
    )


def _is_stuck(names: Names, secret: Secret, field: str) -> str:
    full, stack = secret.full_name, names.stack
    return (
        "becomes `from: generate`, but its text is not a JSON object, so there are no fields to"
        " keep. "
        + commands.listed(
            f"First store a JSON object, for example one with the text as {field!r}:",
            object_of(field, full),
            commands.deploy(stack),
        )
        + f"\nIf the text is not needed: `echo '{{}}' | {commands.write_secret(full)}`."
    )


def object_of(field: str, secret: str) -> str:
    """Turn a secret's text into a JSON object with that text as its only field."""
    return (
        f"aws secretsmanager get-secret-value --secret-id {secret} --query SecretString"
        f" --output json | jq --arg field {shlex.quote(field)} '{{($field): .}}'"
        f" | {commands.write_secret(secret)}"
    )
