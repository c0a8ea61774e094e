"""What stack config must keep to beyond each key by itself. Pure: no Pulumi, no boto3.

Every rule yields a path and what is wrong there, never a value that may be secret.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic.alias_generators import to_camel

from infra.aws import layers, limits
from infra.config.errors import ConfigError
from infra.config.rules import guardrails
from infra.config.rules import monitoring as monitoring_rules
from infra.config.rules import network as network_rules
from infra.config.rules import parameters as parameter_rules
from infra.config.rules import replicas as replica_rules
from infra.config.rules import resource_policy as resource_policy_rules
from infra.config.rules import rotation as rotation_rules
from infra.config.rules.sensitive import looks_sensitive
from infra.config.schema import SecretSettings, Settings

# What everything is tagged with anyway: the project's name, and the stack's.
OWN_TAGS = ("Project", "Environment")


@dataclass(frozen=True)
class Given:
    """Stack config, as far as each key by itself is right."""

    settings: Settings
    """Without the parts that are wrong already: they are at their defaults, or left out."""
    secret_names: frozenset[str]
    """Every name in ``secrets``, also of those left out."""
    values: object
    """``secretValues`` as it came. Never shown."""
    values_encrypted: bool
    region: str
    """``aws:region``, or nothing."""
    secret_prefix: str
    """What every secret's full name starts with."""
    parameter_names: frozenset[str]
    """Every name in ``parameters``, also of those left out."""
    parameter_prefix: str
    """What every parameter's full name starts with."""


def errors(given: Given) -> Iterator[ConfigError]:
    """Say which rules are broken."""
    yield from _secrets(given)
    yield from rotation_rules.errors(given.settings.secrets, given.secret_names)
    yield from parameter_rules.errors(
        given.settings.parameters,
        given.parameter_prefix,
        given.values,
        given.secret_names,
        given.parameter_names,
    )
    yield from _values(given)
    yield from _function(given)
    yield from network_rules.errors(given.settings, given.region)
    yield from _extension(given)
    yield from _layer(given)
    yield from replica_rules.errors(given.settings.replica_regions, given.region)
    yield from _tags(given.settings.tags)
    yield from _deletion(given)
    yield from monitoring_rules.errors(given.settings, given.secret_prefix)
    yield from resource_policy_rules.errors(given.settings.resource_policy)
    yield from guardrails.errors(given.settings, given.secret_names | given.parameter_names)


def text(value: object) -> str:
    """Write a value of ``secretValues`` as the secret's text: a map as JSON, text as it is."""
    return value if isinstance(value, str) else json.dumps(value)


def _secrets(given: Given) -> Iterator[ConfigError]:
    if not given.secret_names:
        yield ConfigError("secrets", "holds no secret; describe at least one")
    for name, secret in given.settings.secrets.items():
        path = f"secrets.{name}"
        if not name:
            yield ConfigError("secrets", "has a secret without a name")
        for fault in limits.secret_name_faults(given.secret_prefix + name):
            yield ConfigError(path, f"becomes a name that {fault}")
        if secret.source == "generate":
            yield from _generated(path, secret)
            continue
        for key in ("fields", "generate"):
            if getattr(secret, key):
                yield ConfigError(
                    f"{path}.{key}", f"goes with `from: generate`, not {secret.source!r}"
                )


def _generated(path: str, secret: SecretSettings) -> Iterator[ConfigError]:
    if not secret.fields and not secret.generate:
        yield ConfigError(
            path, "has neither `fields` nor `generate`; or say `from: config` or `external`"
        )
    for field in sorted(secret.fields.keys() & secret.generate.keys()):
        yield ConfigError(f"{path}.fields.{field}", "is in `generate`, too; keep one")
    for field, plain in secret.fields.items():
        if looks_sensitive(field, plain):
            remedy = "make it with `generate`, or use `from: config`"
            yield ConfigError(
                f"{path}.fields.{field}", f"holds sensitive text in plain (not shown); {remedy}"
            )
    for field, rules in secret.generate.items():
        excluded = (rules.exclude_lowercase, rules.exclude_uppercase, rules.exclude_numbers)
        if all((*excluded, rules.exclude_punctuation)):
            yield ConfigError(f"{path}.generate.{field}", "excludes every character")
    # JSON escapes the quote and the backslash; nothing else that is generated.
    most = len(json.dumps(secret.fields).encode()) + sum(
        len(field) + 2 * rules.length + len('"": "", ') for field, rules in secret.generate.items()
    )
    if most > limits.SECRET_VALUE_BYTES:
        yield ConfigError(
            path, f"may have {limits.SECRET_VALUE_BYTES} bytes, and would have up to {most}"
        )


def _values(given: Given) -> Iterator[ConfigError]:
    secrets, values = given.settings.secrets, given.values
    command = "`pulumi config set --secret --path 'secretValues[\"{}\"]'`".format
    if not isinstance(values, dict):
        yield ConfigError("secretValues", "must be a map of secret names to values (not shown)")
        return
    for name, secret in secrets.items():
        if secret.source == "config" and name not in values:
            yield ConfigError(
                f"secretValues.{name}", f"is not set; give the value with {command(name)}"
            )
    for name, value in parameter_rules.without_parameters(values, given.secret_names).items():
        if name not in given.secret_names:
            yield ConfigError(
                f"secretValues.{name}", "belongs to no secret; add it to `secrets`, or drop it"
            )
        elif name in secrets and secrets[name].source != "config":
            yield ConfigError(
                f"secretValues.{name}", f"is for `from: config`, not {secrets[name].source!r}"
            )
        elif not isinstance(value, str | dict) or not value:
            yield ConfigError(
                f"secretValues.{name}", "must be text or a map, and not empty (not shown)"
            )
        elif (size := len(text(value).encode())) > limits.SECRET_VALUE_BYTES:
            allowed = limits.SECRET_VALUE_BYTES
            yield ConfigError(f"secretValues.{name}", f"may have {allowed} bytes, and has {size}")
    if values and not given.values_encrypted:
        yield ConfigError(
            "secretValues", f"is not encrypted; set each value again with {command('NAME')}"
        )


def _function(given: Given) -> Iterator[ConfigError]:
    function = given.settings.function
    if given.secret_names and function.secret not in given.secret_names:
        names = ", ".join(sorted(given.secret_names))
        yield ConfigError("function.secret", f"must be one of {names}, got {function.secret!r}")
    rotations = (secret.rotation for secret in given.settings.secrets.values())
    if any(rotation and rotation.admin_secret == function.secret for rotation in rotations):
        yield ConfigError(
            "function.secret", "is an administrator's, which no function reads; name another"
        )


def _extension(given: Given) -> Iterator[ConfigError]:
    extension, timeout = given.settings.extension, given.settings.function.timeout_seconds
    for name in ("secrets_timeout_millis", "parameters_timeout_millis"):
        millis = getattr(extension, name)
        if millis >= timeout * 1000:
            rule = f"must be less than function.timeoutSeconds ({timeout} s)"
            yield ConfigError(f"extension.{to_camel(name)}", f"{rule}, got {millis}")
    staleness = given.settings.max_staleness_seconds
    for name in ("secrets_ttl_seconds", "parameters_ttl_seconds"):
        seconds = getattr(extension, name)
        if seconds is not None and seconds > staleness:
            rule = f"must not be more than maxStalenessSeconds ({staleness})"
            yield ConfigError(f"extension.{to_camel(name)}", f"{rule}, got {seconds}")


def _layer(given: Given) -> Iterator[ConfigError]:
    architecture, arn = given.settings.function.architecture, given.settings.extension.layer_arn
    if arn is not None:
        for fault in layers.layer_arn_faults(arn, given.region, architecture):
            yield ConfigError("extension.layerArn", f"{fault}, got {arn!r}")
    elif given.region:
        try:
            layers.extension_layer_arn(given.region, architecture)
        except LookupError as error:
            yield ConfigError("extension.layerArn", f"is not set, and there is {error.args[0]}")


def _tags(tags: Mapping[str, str]) -> Iterator[ConfigError]:
    if len(tags) > limits.TAGS - len(OWN_TAGS):
        yield ConfigError("tags", f"may be {limits.TAGS - len(OWN_TAGS)}, got {len(tags)}")
    for key, value in tags.items():
        if not 1 <= len(key) <= limits.TAG_KEY_LENGTH or key.lower().startswith("aws:"):
            rule = f"may have 1 to {limits.TAG_KEY_LENGTH} characters and not start with aws:"
            yield ConfigError(f"tags.{key}", rule)
        if key.lower() in map(str.lower, OWN_TAGS):  # IAM tells no case apart
            yield ConfigError(f"tags.{key}", "is set already, to the project or the stack")
        if len(value) > limits.TAG_VALUE_LENGTH:
            yield ConfigError(
                f"tags.{key}", f"may have a value of {limits.TAG_VALUE_LENGTH} characters"
            )
        if not re.fullmatch(limits.TAG_PATTERN, key + value):
            yield ConfigError(f"tags.{key}", "may hold letters, digits, spaces and +-=.:/@_ only")


def _deletion(given: Given) -> Iterator[ConfigError]:
    settings = given.settings
    windows = [settings.recovery_window_days]
    windows += [secret.recovery_window_days or 0 for secret in settings.secrets.values()]
    if settings.key.deletion_window_days < max(windows):
        rule = f"must be {max(windows)} at least, or secrets are restored that nothing decrypts"
        yield ConfigError(
            "key.deletionWindowDays", f"{rule}, got {settings.key.deletion_window_days}"
        )
