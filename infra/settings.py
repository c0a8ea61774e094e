"""The only reader of stack config: all of it is checked, and all its faults are told at once.

Structure stands in ``secrets``; sensitive text only in ``secretValues``, which is read as a
secret output and never shown.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import pulumi
from pulumi.runtime import config as pulumi_config
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from infra import layers, limits
from infra.policies import Place
from infra.secret import name_faults

# A field of this name with plain text in it would put a password into version control.
_SENSITIVE = re.compile(
    r"(password|passwd|passphrase|secret|token|api_?key|private_?key)$", re.IGNORECASE
)
_SHOWN_LENGTH = 60
# Pydantic's kinds of error in the words of YAML.
_KINDS = {
    "bool_type": "must be true or false",
    "dict_type": "must be a map",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "model_attributes_type": "must be a map",
    "model_type": "must be a map",
    "string_type": "must be text",
}
_TYPES = ("str", "int", "float", "bool")


class SettingsError(pulumi.RunError, ValueError):
    """The stack's config has faults; the text has a line for each.

    A ``RunError``, so ``pulumi up`` prints the text and no traceback.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Within:
    """Pydantic rule: a value is in a range or a list of ``limits``."""

    allowed: limits.Range | tuple[int | str, ...]
    besides: tuple[int, ...] = ()

    def __str__(self) -> str:
        if isinstance(self.allowed, limits.Range):
            return " or ".join([*map(str, self.besides), str(self.allowed)])
        return f"one of {', '.join(map(str, self.allowed))}"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check after pydantic has checked the type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: int | str) -> int | str:
        if value in self.allowed or value in self.besides:
            return value
        raise PydanticCustomError("within", "must be {allowed}", {"allowed": str(self)})


class _Model(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


class GeneratedField(_Model):
    """How Secrets Manager makes a value."""

    length: Annotated[int, Within(limits.PASSWORD_LENGTH)] = Field(
        default=32, description="characters"
    )
    # What RDS refuses in a password, the backslash, and the space that nobody sees.
    exclude_characters: str = Field(default="/@\"'\\ ", description="characters never used")
    exclude_lowercase: bool = Field(default=False, description="no lower-case letters")
    exclude_uppercase: bool = Field(default=False, description="no upper-case letters")
    exclude_numbers: bool = Field(default=False, description="no digits")
    exclude_punctuation: bool = Field(default=False, description="no punctuation")
    require_each_included_type: bool = Field(
        default=True, description="at least one of each kind not excluded"
    )

    def get_random_password(self) -> dict[str, object]:
        """Write the request of GetRandomPassword."""
        return {
            "PasswordLength": self.length,
            "ExcludeCharacters": self.exclude_characters,
            "ExcludeLowercase": self.exclude_lowercase,
            "ExcludeUppercase": self.exclude_uppercase,
            "ExcludeNumbers": self.exclude_numbers,
            "ExcludePunctuation": self.exclude_punctuation,
            "RequireEachIncludedType": self.require_each_included_type,
        }


class SecretSettings(_Model):
    """One secret: its structure, never its value."""

    description: str = Field(default="", description="what it is for")
    source: Literal["generate", "config", "external"] = Field(
        default="generate", alias="from", description="where the value comes from"
    )
    fields: dict[str, str | int | float | bool] = Field(
        default={}, description="plain fields of the value, with `from: generate`"
    )
    generate: dict[str, GeneratedField] = Field(
        default={}, description="fields made inside AWS, with `from: generate`"
    )
    recovery_window_days: (
        Annotated[int, Within(limits.RECOVERY_WINDOW_DAYS, besides=(0,))] | None
    ) = Field(default=None, description="instead of the environment's `recoveryWindowDays`")

    def random_passwords(self) -> dict[str, dict[str, object]]:
        """Write the request of GetRandomPassword for each field of ``generate``."""
        return {field: rules.get_random_password() for field, rules in self.generate.items()}


class FunctionSettings(_Model):
    """The function that reads."""

    secret: str = Field(
        default="database", description="the secret whose name it gets as `SECRET_NAME`"
    )
    runtime: Annotated[str, Within(limits.RUNTIMES)] = Field(
        default="python3.13", description="of both functions"
    )
    architecture: Annotated[Literal["arm64", "x86_64"], Within(limits.ARCHITECTURES)] = Field(
        default="arm64", description="of both functions and the layer"
    )
    memory_mb: Annotated[int, Within(limits.MEMORY_MB)] = Field(
        default=256, description="megabytes"
    )
    timeout_seconds: Annotated[int, Within(limits.TIMEOUT_SECONDS)] = Field(
        default=30, description="seconds until a request is ended"
    )
    reserved_concurrency: Annotated[int, Within(limits.RESERVED_CONCURRENCY)] | None = Field(
        default=None, description="requests at once kept for it; none: shares the account's"
    )
    log_retention_days: Annotated[int, Within(limits.LOG_RETENTION_DAYS)] = Field(
        default=30, description="days that logs are kept"
    )
    tracing: bool = Field(default=True, description="X-Ray")


class ExtensionSettings(_Model):
    """How the extension works."""

    cache_enabled: bool = Field(default=True, description="whether answers are kept")
    cache_size: Annotated[int, Within(limits.CACHE_SIZE)] = Field(
        default=1000, description="entries kept, secrets and parameters together"
    )
    secrets_ttl_seconds: Annotated[int, Within(limits.TTL_SECONDS)] = Field(
        default=300, description="seconds a secret is kept: the longest a rotation goes unseen"
    )
    parameters_ttl_seconds: Annotated[int, Within(limits.TTL_SECONDS)] = Field(
        default=300, description="seconds a parameter is kept"
    )
    secrets_timeout_millis: Annotated[int, Within(limits.TIMEOUT_MILLIS)] = Field(
        default=2000, description="milliseconds to wait for Secrets Manager; 0: for ever"
    )
    parameters_timeout_millis: Annotated[int, Within(limits.TIMEOUT_MILLIS)] = Field(
        default=2000, description="milliseconds to wait for Parameter Store; 0: for ever"
    )
    max_connections: Annotated[int, Within(limits.MAX_CONNECTIONS)] = Field(
        default=3, description="connections to AWS at once"
    )
    http_port: Annotated[int, Within(limits.HTTP_PORT)] = Field(
        default=2773, description="port on 127.0.0.1"
    )
    log_level: Annotated[str, Within(limits.LOG_LEVELS)] = Field(
        default="info", description="what it logs"
    )
    layer_arn: str | None = Field(
        default=None,
        description="layer version instead of the pinned one of region and architecture",
    )


class KeySettings(_Model):
    """The environment's KMS key."""

    rotation_period_days: Annotated[int, Within(limits.KEY_ROTATION_PERIOD_DAYS)] = Field(
        default=365, description="days between two rotations of the key material"
    )
    deletion_window_days: Annotated[int, Within(limits.KEY_DELETION_WINDOW_DAYS)] = Field(
        default=30, description="days in which its deletion can be cancelled"
    )


class Settings(_Model):
    """Every key of stack config but ``secretValues``."""

    secrets: dict[str, SecretSettings] = Field(
        default={}, description="the secrets, by logical name"
    )
    function: FunctionSettings = Field(
        default=FunctionSettings(), description="the reading function"
    )
    extension: ExtensionSettings = Field(
        default=ExtensionSettings(), description="the AWS Parameters and Secrets Lambda Extension"
    )
    key: KeySettings = Field(default=KeySettings(), description="the environment's KMS key")
    recovery_window_days: Annotated[int, Within(limits.RECOVERY_WINDOW_DAYS, besides=(0,))] = (
        Field(
            default=30,
            description="days in which a deleted secret can be restored; 0: gone at once",
        )
    )
    tags: dict[str, str] = Field(default={}, description="tags of everything that takes tags")


@dataclass(frozen=True)
class Environment:
    """One stack: where it is, and its settings."""

    project: str
    stack: str
    region: str
    settings: Settings

    @property
    def name(self) -> str:
        """``project-stack``, for names that know no slash."""
        return f"{self.project}-{self.stack}"

    @property
    def secret_prefix(self) -> str:
        """What every secret's full name starts with."""
        return f"{self.project}/{self.stack}/"

    @property
    def layer_arn(self) -> str:
        """ARN of the extension's layer version."""
        return self.settings.extension.layer_arn or layers.extension_layer_arn(
            self.region, self.settings.function.architecture
        )

    @property
    def partition(self) -> str:
        """Partition of the region, such as ``aws``."""
        return Place.of(self.layer_arn).partition

    @property
    def log_group_prefix(self) -> str:
        """What every log group's name starts with."""
        return f"/aws/lambda/{self.name}-"

    @property
    def tags(self) -> dict[str, str]:
        """Tags of everything: who made it, and those of config."""
        return {"Project": self.project, "Environment": self.stack, **self.settings.tags}

    def seeds(self) -> dict[str, SecretSettings]:
        """Secrets of ``from: generate``, by logical name."""
        secrets = self.settings.secrets.items()
        return {name: secret for name, secret in secrets if secret.source == "generate"}

    def recovery_window_in_days(self, secret: str) -> int:
        """Days in which the secret can be restored after it was deleted."""
        own = self.settings.secrets[secret].recovery_window_days
        return self.settings.recovery_window_days if own is None else own

    def secret_value(self, secret: str) -> pulumi.Output[str] | None:
        """Text of a secret of ``from: config``, marked secret; of any other, ``None``."""
        if self.settings.secrets[secret].source != "config":
            return None
        values = pulumi.Config().require_secret_object("secretValues")
        return values.apply(lambda all_: _text(all_[secret]))


def load() -> Environment:
    """Read and check the config of the running stack.

    Raises:
        SettingsError: every fault, with key, value, what is allowed, and the file to mend.

    """
    project, stack = pulumi.get_project(), pulumi.get_stack()
    given = _given(project)
    values = given.pop("secretValues", {})
    region = pulumi.Config("aws").get("region")
    faults: list[str] = []
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        faults += _faults(project, error.errors())
        settings = Settings.model_validate(_sound(given, error.errors()))
    environment = Environment(project, stack, region or "", settings)
    faults += [
        f"{project}:{path} {text}"
        for path, text in (
            *_secret_faults(environment),
            *_value_faults(environment, values, known=given.get("secrets")),
            *_function_faults(environment, known=given.get("secrets")),
            *_tag_faults(settings.tags),
        )
    ]
    if region is None:
        faults.append("aws:region is not set, and names, key and layer depend on it")
    if faults:
        raise SettingsError([f"{fault}; mend it in Pulumi.{stack}.yaml" for fault in faults])
    return environment


def _given(project: str) -> dict[str, Any]:
    """All that the stack's config says under the project's name, unknown keys too."""
    everything = {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}
    given = {}
    for key, text in everything.items():
        namespace, _, name = key.partition(":")
        if namespace == project:
            try:
                given[name] = json.loads(text)
            except ValueError:
                given[name] = text
    return given


def _sound(given: Mapping[str, Any], errors: list[ErrorDetails]) -> dict[str, Any]:
    """Leave out the parts at fault, so that the rest can be checked further."""
    sound = dict(given)
    for error in errors:
        section, *inside = error["loc"]
        if section == "secrets" and inside:
            sound["secrets"] = {k: v for k, v in sound["secrets"].items() if k != inside[0]}
        else:
            sound.pop(str(section), None)
    return sound


def _faults(project: str, errors: list[ErrorDetails]) -> list[str]:
    """Write a line for each place at fault."""
    rules: dict[tuple[str, ...], list[str]] = {}
    inputs: dict[tuple[str, ...], object] = {}
    for error in errors:
        # Where a value may be of several types, pydantic names the type in the path.
        path = tuple(str(part) for part in error["loc"] if part not in _TYPES)
        rules.setdefault(path, []).append(_rule(path, error))
        inputs[path] = error["input"]
    return [
        f"{project}:{'.'.join(path)} {' or '.join(found).replace(' or must be ', ' or ')}"
        + ("" if "is no key" in found[0] else f", got {_shown(path, inputs[path])}")
        for path, found in rules.items()
    ]


def _rule(path: tuple[str, ...], error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            return f"is no key; allowed are {', '.join(_keys_beside(path))}"
        case "literal_error":
            return f"must be {error['ctx']['expected']}"
        case _:
            return _KINDS.get(error["type"], error["msg"])


def _keys_beside(path: tuple[str, ...]) -> list[str]:
    """Keys that are allowed where ``path`` ends."""
    model: type[BaseModel] = Settings
    for part in path[:-1]:
        annotations = {field.alias: field.annotation for field in model.model_fields.values()}
        model = model_in(annotations.get(part)) or model
    keys = [field.alias or name for name, field in model.model_fields.items()]
    return [*keys, "secretValues"] if model is Settings else keys


def model_in(annotation: object) -> type[BaseModel] | None:
    """Find the model in an annotation such as ``dict[str, SecretSettings]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part))), None)


def _shown(path: tuple[str, ...], value: object) -> str:
    if any(_SENSITIVE.search(part) for part in path):
        return "a value that is not shown"
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}…"


def _secret_faults(environment: Environment) -> Iterator[tuple[str, str]]:
    for name, secret in environment.settings.secrets.items():
        path = f"secrets.{name}"
        for fault in name_faults(environment.secret_prefix + name):
            yield path, f"becomes a name that {fault}"
        if secret.source == "generate":
            yield from _generate_faults(path, secret)
            continue
        for key in ("fields", "generate"):
            if getattr(secret, key):
                yield f"{path}.{key}", f"goes with `from: generate`, not {secret.source!r}"


def _generate_faults(path: str, secret: SecretSettings) -> Iterator[tuple[str, str]]:
    if not secret.fields and not secret.generate:
        yield path, "has neither `fields` nor `generate`; or say `from: config` or `external`"
    for field in sorted(secret.fields.keys() & secret.generate.keys()):
        yield f"{path}.fields.{field}", "is in `generate`, too; keep one"
    for field, plain in secret.fields.items():
        if _SENSITIVE.search(field) and isinstance(plain, str):
            remedy = "make it with `generate`, or use `from: config`"
            yield f"{path}.fields.{field}", f"holds sensitive text in plain (not shown); {remedy}"
    # JSON escapes the quote and the backslash; nothing else that is generated.
    most = len(json.dumps(secret.fields).encode()) + sum(
        len(field) + 2 * rules.length + len('"": "", ') for field, rules in secret.generate.items()
    )
    if most > limits.SECRET_VALUE_BYTES:
        yield path, f"may have {limits.SECRET_VALUE_BYTES} bytes, and would have up to {most}"


def _value_faults(
    environment: Environment, values: object, known: object
) -> Iterator[tuple[str, str]]:
    secrets = environment.settings.secrets
    command = "`pulumi config set --secret --path 'secretValues[\"{}\"]'`".format
    if not isinstance(values, dict):
        yield "secretValues", "must be a map of secret names to values (not shown)"
        return
    for name, secret in secrets.items():
        if secret.source == "config" and name not in values:
            yield f"secretValues.{name}", f"is not set; give the value with {command(name)}"
    for name, value in values.items():
        if name not in (known if isinstance(known, dict) else {}):
            yield f"secretValues.{name}", "belongs to no secret; add it to `secrets`, or drop it"
        elif name in secrets and secrets[name].source != "config":
            yield f"secretValues.{name}", f"is for `from: config`, not {secrets[name].source!r}"
        elif not isinstance(value, str | dict) or not value:
            yield f"secretValues.{name}", "must be text or a map, and not empty (not shown)"
        elif (size := len(_text(value).encode())) > limits.SECRET_VALUE_BYTES:
            allowed = limits.SECRET_VALUE_BYTES
            yield f"secretValues.{name}", f"may have {allowed} bytes, and has {size}"
    key = f"{environment.project}:secretValues"
    encrypted = pulumi_config.is_config_secret(key)
    if values and not encrypted and key not in pulumi_config.get_config_secret_keys_env():
        yield "secretValues", f"is not encrypted; set each value again with {command('NAME')}"


def _function_faults(environment: Environment, known: object) -> Iterator[tuple[str, str]]:
    function, extension = environment.settings.function, environment.settings.extension
    if not known:
        yield "secrets", "holds no secret; describe at least one"
    elif isinstance(known, dict) and function.secret not in known:
        yield (
            "function.secret",
            f"must be one of {', '.join(known)}, got {function.secret!r}",
        )
    for name in ("secrets_timeout_millis", "parameters_timeout_millis"):
        millis = getattr(extension, name)
        if millis >= function.timeout_seconds * 1000:
            rule = f"must be less than function.timeoutSeconds ({function.timeout_seconds} s)"
            yield f"extension.{to_camel(name)}", f"{rule}, got {millis}"
    if extension.layer_arn is not None:
        for fault in layers.layer_arn_faults(
            extension.layer_arn, environment.region, function.architecture
        ):
            yield "extension.layerArn", f"{fault}, got {extension.layer_arn!r}"
    elif environment.region:
        try:
            layers.extension_layer_arn(environment.region, function.architecture)
        except LookupError as error:
            yield "extension.layerArn", f"is not set, and there is {error.args[0]}"


def _tag_faults(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for key, value in tags.items():
        if not 1 <= len(key) <= limits.TAG_KEY_LENGTH or key.lower().startswith("aws:"):
            rule = f"may have 1 to {limits.TAG_KEY_LENGTH} characters and not start with aws:"
            yield f"tags.{key}", rule
        if len(value) > limits.TAG_VALUE_LENGTH:
            yield f"tags.{key}", f"may have a value of {limits.TAG_VALUE_LENGTH} characters"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
