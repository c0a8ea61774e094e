"""The values of `secretValues` for Pulumi resources: secret outputs, never shown."""

import pulumi

from .rules.parameters import VALUES_PREFIX
from .rules.secret_values import text
from .schema import ParameterSettings, SecretSettings


def of_secret(name: str, secret: SecretSettings) -> pulumi.Output[str] | None:
    """Text of a secret with `from: config`; `None` for any other."""
    if secret.source != "config":
        return None
    return _values().apply(lambda values: text(values[name]))


def of_parameter(name: str, parameter: ParameterSettings) -> pulumi.Input[str] | None:
    """Text of a parameter (a secret output for a SecureString); `None` if not from config."""
    if not parameter.secure:
        return parameter.value
    if parameter.source != "config":
        return None
    return _values().apply(lambda values: str(values[VALUES_PREFIX + name]))


def _values() -> pulumi.Output[dict[str, object]]:
    return pulumi.Config().require_secret_object("secretValues")
