"""What `secretValues` must contain: the value of each secret and parameter from config.

Pure: no Pulumi, no boto3. No error shows a value.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ...aws import limits
from ..errors import ConfigError
from ..schema import ParameterSettings, SecretSettings
from . import parameters as parameter_rules
from .parameters import VALUES_PREFIX

_Settings = TypeVar("_Settings")
_SET = "`pulumi config set --secret --path 'secretValues[\"{}\"]'`".format


@dataclass(frozen=True)
class _Kind(Generic[_Settings]):
    """The differences between values of secrets and values of parameters."""

    name: str
    prefix: str
    """Prefix of their names in `secretValues`."""
    types: tuple[type, ...]
    types_text: str
    refusal: Callable[[_Settings], str | None]
    """Why one with these settings must not have a value in the config; None if it must."""
    text_errors: Callable[[Any, _Settings | None], Iterator[str]]
    """The errors of a value; the settings are None if they have errors."""


def errors(
    values: object,
    secrets: Mapping[str, SecretSettings | None],
    parameters: Mapping[str, ParameterSettings | None],
    *,
    encrypted: bool,
) -> Iterator[ConfigError]:
    """Yield an error for each broken rule.

    `values` is `secretValues`, unchecked. `secrets` and `parameters` have all names, with None as
    the settings if those have errors.
    """
    if not isinstance(values, dict):
        rule = "must be a map of secret names to values (not shown)"
        yield ConfigError("secretValues", rule)
        return
    # A secret's name may start like the key of a parameter.
    of_parameters = {
        key.removeprefix(VALUES_PREFIX): value
        for key, value in values.items()
        if key.startswith(VALUES_PREFIX) and key not in secrets
    }
    of_secrets = {
        key: value
        for key, value in values.items()
        if not key.startswith(VALUES_PREFIX) or key in secrets
    }
    yield from _check(_PARAMETER, parameters, of_parameters)
    yield from _check(_SECRET, secrets, of_secrets)
    if values and not encrypted:
        rule = f"is not encrypted; set each value again with {_SET('NAME')}"
        yield ConfigError("secretValues", rule)


def text(value: object) -> str:
    """Return a value of `secretValues` as the secret's text: a map as JSON, text unchanged."""
    return value if isinstance(value, str) else json.dumps(value)


def _check(
    kind: _Kind[_Settings], declared: Mapping[str, _Settings | None], values: Mapping[str, object]
) -> Iterator[ConfigError]:
    for name, settings in declared.items():
        if settings and not kind.refusal(settings) and name not in values:
            key = kind.prefix + name
            yield ConfigError(f"secretValues.{key}", f"is not set; set the value with {_SET(key)}")
    for name, value in values.items():
        for message in _value_errors(kind, name, value, declared):
            yield ConfigError(f"secretValues.{kind.prefix}{name}", message)


def _value_errors(
    kind: _Kind[_Settings], name: str, value: object, declared: Mapping[str, _Settings | None]
) -> Iterator[str]:
    settings = declared.get(name)
    if name not in declared:
        yield f"is for an unknown {kind.name}; add it to `{kind.name}s`, or remove the value"
    elif settings and (refusal := kind.refusal(settings)):
        yield refusal
    elif not isinstance(value, kind.types) or not value:
        yield f"must be {kind.types_text}, and not empty (not shown)"
    else:
        yield from kind.text_errors(value, settings)


def _secret_refusal(secret: SecretSettings) -> str | None:
    if secret.existing is not None:
        return "is set, but the secret is `existing`; remove it"
    if secret.source == "config":
        return None
    return f"is set, but the secret has `from: {secret.source}`; remove it, or use `from: config`"


def _secret_text_errors(value: object, _: SecretSettings | None) -> Iterator[str]:
    size, allowed = len(text(value).encode()), limits.SECRET_VALUE_BYTES
    if size > allowed:
        yield f"must have at most {allowed} bytes, got {size}"


def _parameter_refusal(parameter: ParameterSettings) -> str | None:
    if parameter.secure and parameter.source == "config":
        return None
    return "is set, but the parameter is not a SecureString with `from: config`; remove it"


def _parameter_text_errors(value: str, parameter: ParameterSettings | None) -> Iterator[str]:
    if parameter:  # its tier has the limit
        yield from parameter_rules.text_errors(value, parameter.tier)


_SECRET = _Kind("secret", "", (str, dict), "text or a map", _secret_refusal, _secret_text_errors)
_PARAMETER = _Kind(
    "parameter", VALUES_PREFIX, (str,), "text", _parameter_refusal, _parameter_text_errors
)
