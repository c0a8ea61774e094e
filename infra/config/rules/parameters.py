"""What parameters must satisfy beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Collection, Iterator, Mapping

from ...aws import limits
from ..errors import ConfigError
from ..schema import ParameterSettings
from . import generated, sensitive

# Prefix of parameters' names in `secretValues`.
VALUES_PREFIX = "parameters/"


def errors(
    parameters: Mapping[str, ParameterSettings], prefix: str, secret_names: Collection[str]
) -> Iterator[ConfigError]:
    """Yield an error for each broken rule.

    `prefix` is that of all full names, `secret_names` are those of all secrets.
    """
    for name, parameter in parameters.items():
        path = f"parameters.{name}"
        for error in limits.parameter_name_errors(prefix + name):
            yield ConfigError(path, f"becomes a name that {error}; rename it")
        if VALUES_PREFIX + name in secret_names:
            yield ConfigError(
                f"secrets.{VALUES_PREFIX}{name}",
                f"has the same key in `secretValues` as the parameter {name!r}; rename one",
            )
        yield from sensitive.errors(f"{path}.description", parameter.description)
        yield from (_secure if parameter.secure else _plain)(path, name, parameter)


def _plain(path: str, name: str, parameter: ParameterSettings) -> Iterator[ConfigError]:
    of_type = (f"{path}.type",)
    for key, field in (("from", "source"), ("generate", "generate")):
        if field in parameter.model_fields_set:
            rule = f"is only for `type: SecureString`, not {parameter.type!r}"
            yield ConfigError(f"{path}.{key}", f"{rule}; remove it", of_type)
    value = parameter.value
    if not value:
        yield ConfigError(
            f"{path}.value",
            "is missing or empty, but Parameter Store rejects empty values; set it",
            of_type,
        )
        return
    if sensitive.looks_sensitive(name, value):
        yield sensitive.error(f"{path}.value", "make it a SecureString, which is encrypted")
    for error in text_errors(value, parameter.tier):
        yield ConfigError(f"{path}.value", error, (f"{path}.tier",))


def _secure(path: str, _: str, parameter: ParameterSettings) -> Iterator[ConfigError]:
    if parameter.value is not None:
        remedy = "use `from: generate`, `config` or `external`"
        yield ConfigError(
            f"{path}.value",
            f"would hold a SecureString's value in plain text (not shown); {remedy}",
        )
    rules = parameter.generate
    if rules is None:
        return
    if parameter.source != "generate":
        yield ConfigError(
            f"{path}.generate",
            f"is only for `from: generate`, not {parameter.source!r}; remove it",
        )
    yield from generated.errors(f"{path}.generate", rules)


def text_errors(value: str, tier: str) -> Iterator[str]:
    """Say why Parameter Store would reject a value in a tier."""
    size, allowed = len(value.encode()), limits.PARAMETER_VALUE_BYTES[tier]
    if size > allowed:
        yield f"must have at most {allowed} bytes in the {tier} tier, got {size}"
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    if "{{" in value:
        yield "contains {{, which Parameter Store reads as the start of a reference; remove it"
