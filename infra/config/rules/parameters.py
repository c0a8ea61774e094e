"""What parameters must keep to beyond each key by itself. Pure: no Pulumi, no boto3."""

from collections.abc import Collection, Iterator, Mapping

from infra.aws import limits
from infra.config.errors import ConfigError
from infra.config.rules.sensitive import looks_sensitive
from infra.config.schema import ParameterSettings

# What stands before a parameter's name in `secretValues`.
VALUES_PREFIX = "parameters/"


def without_parameters(
    values: Mapping[str, object], secret_names: Collection[str]
) -> dict[str, object]:
    """Leave out of ``secretValues`` what is for a parameter, and not for a secret."""
    return {
        key: value
        for key, value in values.items()
        if not key.startswith(VALUES_PREFIX) or key in secret_names
    }


def errors(
    parameters: Mapping[str, ParameterSettings],
    prefix: str,
    values: object,
    secret_names: Collection[str],
    names: Collection[str],
) -> Iterator[ConfigError]:
    """Say which rules are broken.

    ``prefix`` is that of full names, ``values`` are ``secretValues`` as they came, ``names`` those
    of all parameters, also of wrong ones.
    """
    for name, parameter in parameters.items():
        path = f"parameters.{name}"
        for fault in limits.parameter_name_faults(prefix + name):
            yield ConfigError(path, f"becomes a name that {fault}")
        if VALUES_PREFIX + name in secret_names:
            yield ConfigError(
                f"secrets.{VALUES_PREFIX}{name}", "has the name of a parameter; rename one"
            )
        yield from (_secure if parameter.secure else _plain)(path, name, parameter)
    yield from _values(parameters, values, secret_names, names)


def _plain(path: str, name: str, parameter: ParameterSettings) -> Iterator[ConfigError]:
    for key, given in (("from", "source"), ("generate", "generate")):
        if given in parameter.model_fields_set:
            yield ConfigError(
                f"{path}.{key}", f"goes with `type: SecureString`, not {parameter.type!r}"
            )
    value = parameter.value
    if not value:
        yield ConfigError(
            f"{path}.value", "is missing or empty, and Parameter Store keeps no empty value"
        )
        return
    if looks_sensitive(name.replace("-", "_"), value):
        remedy = "make it a SecureString, which is encrypted"
        yield ConfigError(f"{path}.value", f"holds sensitive text in plain (not shown); {remedy}")
    yield from (_text(f"{path}.value", value, parameter.tier))


def _secure(path: str, _: str, parameter: ParameterSettings) -> Iterator[ConfigError]:
    if parameter.value is not None:
        remedy = "use `from: generate`, `config` or `external`"
        yield ConfigError(
            f"{path}.value", f"of a SecureString would stand here in plain (not shown); {remedy}"
        )
    rules = parameter.generate
    if rules is None:
        return
    if parameter.source != "generate":
        yield ConfigError(
            f"{path}.generate", f"goes with `from: generate`, not {parameter.source!r}"
        )
    excluded = (rules.exclude_lowercase, rules.exclude_uppercase, rules.exclude_numbers)
    if all((*excluded, rules.exclude_punctuation)):
        yield ConfigError(f"{path}.generate", "excludes every character")


def _values(
    parameters: Mapping[str, ParameterSettings],
    values: object,
    secret_names: Collection[str],
    names: Collection[str],
) -> Iterator[ConfigError]:
    if not isinstance(values, dict):
        return  # said already
    of_secrets = without_parameters(values, secret_names)
    given = {
        key.removeprefix(VALUES_PREFIX): value
        for key, value in values.items()
        if key not in of_secrets
    }
    for name, parameter in parameters.items():
        key = VALUES_PREFIX + name
        if parameter.secure and parameter.source == "config" and name not in given:
            command = f"`pulumi config set --secret --path 'secretValues[\"{key}\"]'`"
            yield ConfigError(f"secretValues.{key}", f"is not set; give the value with {command}")
    for name, value in given.items():
        path = f"secretValues.{VALUES_PREFIX}{name}"
        found = parameters.get(name)
        if name not in names:
            yield ConfigError(path, "belongs to no parameter; add it to `parameters`, or drop it")
        elif found and not (found.secure and found.source == "config"):
            yield ConfigError(
                path, "is for a SecureString of `from: config`, which the parameter is not"
            )
        elif not isinstance(value, str) or not value:
            yield ConfigError(path, "must be text, and not empty (not shown)")
        elif found:
            yield from _text(path, value, found.tier)


def _text(path: str, value: str, tier: str) -> Iterator[ConfigError]:
    size, allowed = len(value.encode()), limits.PARAMETER_VALUE_BYTES[tier]
    if size > allowed:
        yield ConfigError(path, f"may have {allowed} bytes in the tier {tier}, and has {size}")
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    if "{{" in value:
        yield ConfigError(
            path, "holds {{, by which Parameter Store would have it name another parameter"
        )
