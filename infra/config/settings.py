"""The only reader of stack config: all of it is checked, and all its errors are reported at once.

Structure stands in `secrets`; sensitive text only in `secretValues`, which is read as a
secret output and never shown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import config as pulumi_config
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from infra.aws import layers, limits
from infra.aws.place import Place
from infra.config import namespaces
from infra.config.errors import ConfigError, of_schema
from infra.config.rules import check, guardrails
from infra.config.rules import names as name_rules
from infra.config.rules import resource_policy as resource_policy_rules
from infra.config.rules import secret_values as value_rules
from infra.config.rules.parameters import VALUES_PREFIX
from infra.config.rules.tags import OWN_TAGS
from infra.config.schema import ParameterSettings, RotationSettings, SecretSettings, Settings
from infra.names import Names

ROOT = Path(__file__).resolve().parents[2]


class SettingsError(pulumi.RunError, ValueError):
    """The stack's config has errors; the text has a line for each.

    A `RunError`, so `pulumi up` prints the text and no traceback.
    """

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class Environment:
    """One stack: where it is, and its settings."""

    project: str
    stack: str
    region: str
    settings: Settings

    @property
    def name(self) -> str:
        """`project-stack`, for names that know no slash."""
        return f"{self.project}-{self.stack}"

    @property
    def names(self) -> Names:
        """Names and URNs of the stack's secrets and parameters."""
        return Names(self.project, self.stack)

    @property
    def secret_prefix(self) -> str:
        """What every secret's full name starts with."""
        return self.names.secret_prefix

    @property
    def parameter_prefix(self) -> str:
        """What every parameter's full name starts with."""
        return self.names.parameter_prefix

    @property
    def layer_arn(self) -> str:
        """ARN of the extension's layer version."""
        return self.settings.extension.layer_arn or layers.extension_layer_arn(
            self.region, self.settings.function.architecture
        )

    @property
    def partition(self) -> str:
        """Partition of the region, such as `aws`."""
        return Place.of(self.layer_arn).partition

    @property
    def log_group_prefix(self) -> str:
        """What every log group's name starts with."""
        return f"/aws/lambda/{self.name}-"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of everything: who made it, and those of config."""
        own = zip(OWN_TAGS, (self.project, self.stack), strict=True)
        return {**dict(own), **self.settings.tags}

    def extension_args(self) -> dict[str, Any]:
        """Arguments of the extension; it keeps a value half of the time it may be stale."""
        extension = self.settings.extension
        half = min(limits.TTL_SECONDS.most, self.settings.max_staleness_seconds // 2)
        return {
            name: half if value is None else value
            for name, value in extension.model_dump(exclude={"layer_arn"}).items()
        }

    def extension_cache_seconds(self) -> int:
        """Seconds that the extension keeps a secret; 0 if it keeps nothing."""
        return self.extension_args()["secrets_ttl_seconds"] if self._extension_keeps else 0

    def client_cache_seconds(self) -> int:
        """Seconds that are left to the client's own cache."""
        args = self.extension_args()
        ttl = max(args["secrets_ttl_seconds"], args["parameters_ttl_seconds"])
        return self.settings.max_staleness_seconds - (ttl if self._extension_keeps else 0)

    @property
    def _extension_keeps(self) -> bool:
        extension = self.settings.extension
        return extension.cache_enabled and extension.cache_size > 0

    def seeds(self) -> dict[str, SecretSettings]:
        """Secrets of `from: generate`, by logical name."""
        secrets = self.settings.secrets.items()
        return {name: secret for name, secret in secrets if secret.source == "generate"}

    def parameter_seeds(self) -> dict[str, ParameterSettings]:
        """Parameters whose value is made inside AWS, by logical name."""
        parameters = self.settings.parameters.items()
        return {
            name: parameter
            for name, parameter in parameters
            if parameter.secure and parameter.source == "generate"
        }

    @property
    def has_secure_parameters(self) -> bool:
        """Whether Parameter Store encrypts anything."""
        return any(parameter.secure for parameter in self.settings.parameters.values())

    @property
    def rotations(self) -> dict[str, RotationSettings]:
        """How secrets are rotated, by logical name; of those that are."""
        secrets = self.settings.secrets.items()
        return {name: secret.rotation for name, secret in secrets if secret.rotation}

    @property
    def readable(self) -> list[str]:
        """Logical names of the secrets that the function may read: no administrator's."""
        administrators = {rotation.admin_secret for rotation in self.rotations.values()}
        return [name for name in self.settings.secrets if name not in administrators]

    @property
    def ca_bundle(self) -> Path:
        """PEM file of who signs the databases' certificates."""
        return ROOT / (self.settings.database.ca_bundle or "handler/rds-ca-bundle.pem")

    def administrators(self, caller_arn: str) -> list[str]:
        """ARNs of who may do everything with the secrets; without a resource policy, none.

        `caller_arn` is that of GetCallerIdentity.

        Raises:
            SettingsError: whoever deploys is not among them, and would lock itself out.

        """
        policy = self.settings.resource_policy
        errors = list(resource_policy_rules.lockout(policy.administrators, caller_arn))
        if policy.enabled and errors:
            remedy = f"; mend it in Pulumi.{self.stack}.yaml"
            raise SettingsError([error.line(self.project) + remedy for error in errors])
        return policy.administrators

    def protects(self, exemption: str) -> bool:
        """Whether Pulumi is to refuse a deletion that this key of `exemptions` would allow."""
        return guardrails.protects(self.settings, exemption)

    def secret_values(self) -> dict[str, Any]:
        """Read `secretValues`, decrypted: to be compared, and never shown."""
        values: Any = _value(_config().get(f"{self.project}:secretValues", "{}"))
        return dict(values)

    def recovery_window_in_days(self, secret: str) -> int:
        """Days in which the secret can be restored after it was deleted."""
        own = self.settings.secrets[secret].recovery_window_days
        return self.settings.recovery_window_days if own is None else own

    def secret_value(self, secret: str) -> pulumi.Output[str] | None:
        """Text of a secret of `from: config`, marked secret; of any other, `None`."""
        if self.settings.secrets[secret].source != "config":
            return None
        values = pulumi.Config().require_secret_object("secretValues")
        return values.apply(lambda all_: value_rules.text(all_[secret]))

    def parameter_value(self, parameter: str) -> pulumi.Input[str] | None:
        """Text of a parameter, of a SecureString marked secret; none if it is not from config."""
        settings = self.settings.parameters[parameter]
        if not settings.secure:
            return settings.value
        if settings.source != "config":
            return None
        values = pulumi.Config().require_secret_object("secretValues")
        return values.apply(lambda all_: str(all_[VALUES_PREFIX + parameter]))


def load() -> Environment:
    """Read and check the config of the running stack.

    Raises:
        SettingsError: every error, with key, value, what is allowed, and the file to mend.

    """
    project, stack = pulumi.get_project(), pulumi.get_stack()
    if project in namespaces.RESERVED:
        reserved = f"the project's name {project!r} is a namespace of Pulumi's own config"
        raise SettingsError([f"{reserved}; choose another in Pulumi.yaml"])
    config = _config()
    keys, misplaced = _keys(project, config)
    given, errors = _given(config, keys)
    settings, region = given.settings, pulumi.Config("aws").get("region") or ""
    environment = Environment(project, stack, region, settings)
    errors += check.errors(given, environment.names, region)
    if not environment.ca_bundle.is_file():
        path = settings.database.ca_bundle
        errors.append(ConfigError("database.caBundle", f"must be a file, got {path!r}"))
    lines = [*misplaced, *(error.line(project) for error in errors)]
    if not region:
        lines.append("aws:region is not set, and names, key and layer depend on it")
    lines = [
        *name_rules.errors(project, stack, has_trail=settings.audit.trail == "own"),
        *(f"{line}; mend it in Pulumi.{stack}.yaml" for line in lines),
    ]
    if lines:
        raise SettingsError(lines)
    return environment


def _config() -> dict[str, str]:
    """Read the stack's config as Pulumi hands it to a program: all of it, and decrypted."""
    return {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}


def _keys(project: str, config: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Find the project's keys, also unknown ones: name -> full key; say which are misplaced.

    A misplaced key is checked as if it were in its place, unless the stack gives that one, too.
    """
    prefix = f"{project}:"
    keys = {key.removeprefix(prefix): key for key in config if key.startswith(prefix)}
    defaults = Settings().model_dump(by_alias=True, exclude_none=True) | {"secretValues": {}}
    misplaced = []
    for key, name in namespaces.mistaken(project, config, defaults, ROOT):
        if name in keys and _value(config[keys[name]]) != defaults.get(name):
            remedy = f"drop it, as {name} is given, too"
        else:
            keys[name], remedy = key, f"write {name} instead"
        misplaced.append(f"{key} is not read, since the project is {project!r}; {remedy}")
    return keys, misplaced


def _given(
    config: Mapping[str, str], keys: Mapping[str, str]
) -> tuple[check.Config, list[ConfigError]]:
    """Read the config without the parts that are wrong by themselves; say what is wrong there."""
    raw = {name: _value(config[key]) for name, key in keys.items()}
    values = raw.pop("secretValues", {})
    names = {
        section: frozenset(given if isinstance(given := raw.get(section), dict) else ())
        for section in ("secrets", "parameters")
    }
    errors = []
    # Decrypted, it would be in the state in plain like any other setting.
    for name in [name for name in raw if _is_encrypted(keys[name])]:
        del raw[name]
        message = "is encrypted in part or whole; only secretValues may be"
        errors.append(ConfigError(name, message))
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        errors += of_schema(error.errors())
        settings = Settings.model_validate(_sound(raw, error.errors()))
    encrypted = _is_encrypted(keys.get("secretValues", ""))
    return check.Config(settings, names["secrets"], names["parameters"], values, encrypted), errors


def _value(text: str) -> object:
    """Read what a config key holds; Pulumi writes all but text as JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_encrypted(key: str) -> bool:
    # The first is what a program was told, the second what its environment says.
    return pulumi_config.is_config_secret(key) or (
        key in pulumi_config.get_config_secret_keys_env()
    )


def _sound(raw: Mapping[str, Any], details: list[ErrorDetails]) -> dict[str, Any]:
    """Leave out the wrong parts, so that the rest can be checked further."""
    sound = dict(raw)
    for error in details:
        section, *inside = error["loc"]
        if section in ("secrets", "parameters") and inside:
            sound[section] = {k: v for k, v in sound[section].items() if k != inside[0]}
        else:
            sound.pop(str(section), None)
    return sound
