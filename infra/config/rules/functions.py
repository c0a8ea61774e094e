"""What `functions`, `function` and `extension` must satisfy beyond each key by itself.

Pure: no Pulumi, no boto3.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import cast

from pydantic.alias_generators import to_camel

from ...aws import extension, function_options, layers, limits
from ...aws.extension import ExtensionArgs
from ...names import Names
from ...policies import iam
from .. import function_variables
from ..errors import ConfigError
from ..function_settings import SingleFunctionSettings
from ..functions import READER, AppFunction, functions, rotation_group_function, rotation_groups
from ..schema import Settings
from . import names as name_rules
from . import sensitive

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_RESERVED_VARIABLE = re.compile(
    r"AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_(ACCESS_)?KEY"
    r"|AWS_SESSION_TOKEN|AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE)"
    r"|AWS_LAMBDA_(LOG_(GROUP|STREAM)_NAME|RUNTIME_API)|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR"
)
_OWN_VARIABLE = re.compile(
    r"PARAMETERS_SECRETS_EXTENSION_.*|(SECRETS_MANAGER|SSM_PARAMETER_STORE)_(TTL|TIMEOUT_MILLIS)"
    r"|SECRET_NAME|SECRET_PREFIX|PARAMETER_PREFIX"
    r"|SECRETS_(CACHE_SECONDS|TELEMETRY|REPLICA_REGIONS)"
)
_LAYER = re.compile(r"arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):\d{12}:layer:[\w-]+:[1-9]\d*")
# A function can have five layers, including the extension's.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LAYERS = 4
# Characters reserved for the inline policies for logs, traces, network and dead letters.
_OTHER_INLINE_POLICIES = 2_000
# A role can have ten managed policies; at least two grant reads.
_POLICIES = 8
_QUEUE = re.compile(r"arn:aws[a-z-]*:(sqs|sns):[a-z0-9-]+:\d{12}:\S+")


def errors(
    settings: Settings,
    names: Names,
    region: str,
    secret_names: Collection[str],
    parameter_names: Collection[str],
) -> Iterator[ConfigError]:
    """Yield an error for each broken rule.

    `region` is the stack's own, or empty; `secret_names` and `parameter_names` include those with
    errors.
    """
    app_functions = functions(settings)
    if settings.functions and settings.function != SingleFunctionSettings():
        yield ConfigError(
            "function",
            "cannot be combined with `functions`; move it there, under the name `reader`",
        )
    yield from _names(settings)
    yield from _shared_names(settings)
    yield from _example(settings)
    for function in app_functions.values():
        yield from _readable(function, settings, secret_names, parameter_names)
        yield from _existing(function, settings)
        yield from _environment(function, settings, names)
        yield from _role_and_layers(function, region)
        yield from _options(function)
        yield from _timeouts(function)
        yield from _extension_layer(function, region)
    yield from _staleness(settings, app_functions.values())


def _names(settings: Settings) -> Iterator[ConfigError]:
    """Reject names that AWS rejects, and functions that would share a log group."""
    taken = {"seeder": "is reserved for the function that generates initial values"}
    taken["rotation-watch"] = "is reserved for the function that watches rotations"
    for name, secret in settings.own_secrets.items():
        if secret.rotation:  # also in a group, which it may leave
            taken[f"{name}-rotation"] = f"is reserved for the function that rotates {name}"
    for group in rotation_groups(settings.secrets):
        name = rotation_group_function(group)
        taken[name] = f"is reserved for the function of the rotation group {group}"
    for name in settings.functions:
        yield from name_rules.logical("functions", name)
        reason = taken.get(re.sub(r"^seeder-\d+$", "seeder", name))
        if reason:
            yield ConfigError(f"functions.{name}", f"{reason}; choose another name")
    replacing = [name for name, each in settings.functions.items() if each.replaces]
    if READER in replacing:
        rule = f"is not needed, because a function named {READER} always replaces `function`"
        yield ConfigError(f"functions.{READER}.replaces", f"{rule}; remove the line")
        replacing.remove(READER)
    elif replacing and READER in settings.functions:
        rule = f"would get the name of functions.{replacing[0]}, which replaces `function`"
        yield ConfigError(f"functions.{READER}", f"{rule}; rename it")
    for name in replacing[1:]:
        rule = f"is 'function', but functions.{replacing[0]} replaces it already"
        yield ConfigError(f"functions.{name}.replaces", f"{rule}; remove one of the two lines")


def _shared_names(settings: Settings) -> Iterator[ConfigError]:
    """Reject functions whose resources would have the same name."""
    for name in settings.functions:
        if f"{name}-secure" in settings.functions:
            rule = f"would have policies with the same names as those of functions.{name}"
            yield ConfigError(f"functions.{name}-secure", f"{rule}; choose another name")
    owners: dict[str, str] = {}
    for name, function in settings.functions.items():
        physical = function.options.get("name")
        if not isinstance(physical, str):
            continue
        if physical in owners:
            rule = f"is {physical!r}, which functions.{owners[physical]} also has"
            yield ConfigError(f"functions.{name}.options.name", f"{rule}; choose another name")
        owners.setdefault(physical, name)


def _example(settings: Settings) -> Iterator[ConfigError]:
    function = settings.function
    if settings.functions or function.secrets is None or function.secret in function.secrets:
        return
    rule = "must be one of function.secrets"
    yield ConfigError("function.secret", f"{rule}, got {function.secret!r}")


def _readable(
    function: AppFunction,
    settings: Settings,
    secret_names: Collection[str],
    parameter_names: Collection[str],
) -> Iterator[ConfigError]:
    """Reject unknown names, repeated names, and admin secrets."""
    section, own = function.section, function.settings
    kinds = {
        "secrets": (own.secrets, secret_names),
        "parameters": (own.parameters, parameter_names),
    }
    for key, (names, known) in kinds.items():
        yield from _repeats(f"{section}.{key}", names)
        for name in dict.fromkeys(names):
            path = f"{section}.{key}"
            if function.is_example and key == "secrets" and name == settings.function.secret:
                path = "function.secret"
            if known and name not in known:
                listed = ", ".join(sorted(known))
                yield ConfigError(path, f"must be one of {listed}, got {name!r}")
            elif not known and not (function.is_example and key == "secrets"):
                yield ConfigError(path, f"lists {name!r}, but the stack has no `{key}`", (key,))
            if key == "secrets" and name in settings.admin_secrets:
                rule = f"names {name!r}, an admin secret, which functions may not read"
                yield ConfigError(path, f"{rule}; remove it, or choose another")


def _repeats(path: str, values: Sequence[str]) -> Iterator[ConfigError]:
    for value, count in Counter(values).items():
        if count > 1:
            yield ConfigError(path, f"lists {value!r} {count} times; keep one")


def _existing(function: AppFunction, settings: Settings) -> Iterator[ConfigError]:
    """Reject more existing secrets than fit in the role's inline policies."""
    listed = {
        each.existing: each.key_arn
        for name, each in settings.existing_secrets.items()
        if each.existing and name in function.settings.secrets
    }
    policy = json.dumps(iam.read_existing_secrets(listed), separators=(",", ":"))
    most = limits.INLINE_POLICY_CHARACTERS - _OTHER_INLINE_POLICIES
    if listed and len(policy) > most:
        rule = f"lists {len(listed)} existing secrets, which need a policy of {len(policy)}"
        why = f"characters, but the role has room for {most}"
        remedy = "list fewer secrets, or split the function"
        yield ConfigError(f"{function.section}.secrets", f"{rule} {why}; {remedy}")


def _environment(function: AppFunction, settings: Settings, names: Names) -> Iterator[ConfigError]:
    for name, value in function.settings.environment.items():
        path = f"{function.section}.environment.{name}"
        if not _VARIABLE.fullmatch(name):
            rule = (
                "must have at least 2 characters: a letter, then letters, digits and underscores"
            )
            yield ConfigError(path, f"{rule}; choose another name")
        elif _RESERVED_VARIABLE.fullmatch(name):
            yield ConfigError(path, "is reserved by Lambda; choose another name")
        elif _OWN_VARIABLE.fullmatch(name):
            remedy = "use `extension`, `secrets` or `telemetry`, or choose another name"
            yield ConfigError(path, f"is set by this program; {remedy}")
        elif sensitive.looks_sensitive(name, value):
            yield sensitive.error(path, "move it to `secrets`, and read it from there")
    variables = {
        **extension.variables(cast("ExtensionArgs", function.extension_args())),
        **function_variables.of(function, settings, names),
    }
    size = len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode())
    if size > limits.ENVIRONMENT_BYTES:
        rule = (
            f"must have at most {limits.ENVIRONMENT_BYTES} bytes including the variables that this"
            " program sets"
        )
        remedy = "move long values to a parameter or a file"
        yield ConfigError(f"{function.section}.environment", f"{rule}, got {size}; {remedy}")


def _role_and_layers(function: AppFunction, region: str) -> Iterator[ConfigError]:
    own, section = function.settings, function.section
    for number, arn in enumerate(own.layers):
        path = f"{section}.layers[{number}]"
        layer = _LAYER.fullmatch(arn)
        if layer is None:
            yield ConfigError(path, f"must be the ARN of a layer version, got {arn!r}")
        elif region and layer["region"] != region:
            rule = f"must be a layer in aws:region {region!r}"
            yield ConfigError(path, f"{rule}, got one in {layer['region']!r}")
    yield from _repeats(f"{section}.layers", own.layers)
    yield from _repeats(f"{section}.role.policyArns", own.role.policy_arns)
    if len(own.layers) > _LAYERS:
        rule = f"must list at most {_LAYERS}, because Lambda allows 5 including the extension"
        yield ConfigError(f"{section}.layers", f"{rule}, got {len(own.layers)}")
    if len(own.role.policy_arns) > _POLICIES:
        rule = f"must list at most {_POLICIES}, because IAM allows 10 and this program needs some"
        yield ConfigError(f"{section}.role.policyArns", f"{rule}, got {len(own.role.policy_arns)}")
    if own.telemetry and not own.is_python and not function.is_example:
        rule = f"must be false with {own.runtime}, because only the Python client has metrics"
        yield ConfigError(f"{section}.telemetry", rule)
    queue = own.dead_letter_queue
    if queue is not None and not _QUEUE.fullmatch(queue):
        rule = "must be the ARN of an SQS queue or an SNS topic"
        yield ConfigError(f"{section}.deadLetterQueue", f"{rule}, got {queue!r}")
    network = own.network
    if network is not None and bool(network.subnet_ids) != bool(network.security_group_ids):
        key = "securityGroupIds" if network.subnet_ids else "subnetIds"
        other = "subnetIds" if network.subnet_ids else "securityGroupIds"
        yield ConfigError(f"{section}.network.{key}", f"is empty, but `{other}` is set; add one")


def _options(function: AppFunction) -> Iterator[ConfigError]:
    for name, value in function.settings.options.items():
        path = f"{function.section}.options.{name}"
        if (key := function_options.OWN.get(name)) is not None:
            yield ConfigError(path, f"is set by this program; {key}")
        elif name not in function_options.PASSED:
            allowed = ", ".join(function_options.PASSED)
            yield ConfigError(
                path, f"is an unknown argument of aws.lambda.Function; allowed: {allowed}"
            )
        elif name == "name":
            yield from _physical_name(path, value)
        elif name == "loggingConfig" and not isinstance(value, dict):
            yield ConfigError(path, "must be a map")
        else:
            yield from sensitive.errors(path, str(value))


def _physical_name(path: str, name: object) -> Iterator[ConfigError]:
    if not isinstance(name, str):
        yield ConfigError(path, "must be text")
    elif name not in limits.FUNCTION_NAME:
        yield ConfigError(path, f"must be {limits.FUNCTION_NAME}, got {name!r}")


def _timeouts(function: AppFunction) -> Iterator[ConfigError]:
    timeout = function.settings.timeout_seconds
    for name in ("secrets_timeout_millis", "parameters_timeout_millis"):
        millis = getattr(function.extension, name)
        if millis >= timeout * 1000:
            path = f"{function.section}.timeoutSeconds"
            text = f"must be less than {path} ({timeout} s), got {millis}"
            yield ConfigError(_extension_key(function, name), text, (path,))


def _staleness(
    settings: Settings, app_functions: Collection[AppFunction]
) -> Iterator[ConfigError]:
    staleness = settings.max_staleness_seconds
    paths = set()
    for function in app_functions:
        for name in ("secrets_ttl_seconds", "parameters_ttl_seconds"):
            seconds, path = getattr(function.extension, name), _extension_key(function, name)
            if seconds is not None and seconds > staleness and path not in paths:
                paths.add(path)
                rule = f"must be at most maxStalenessSeconds ({staleness})"
                yield ConfigError(path, f"{rule}, got {seconds}", ("maxStalenessSeconds",))


def _extension_layer(function: AppFunction, region: str) -> Iterator[ConfigError]:
    architecture, arn = function.settings.architecture, function.extension.layer_arn
    path, of = _extension_key(function, "layer_arn"), (f"{function.section}.architecture",)
    if arn is not None:
        for error in layers.layer_arn_errors(arn, region, architecture):
            yield ConfigError(path, f"{error}, got {arn!r}", of)
    elif region in layers.regions():
        try:
            layers.extension_layer_arn(region, architecture)
        except LookupError as error:
            yield ConfigError(path, f"is not set, and there is {error.args[0]}", of)


def _extension_key(function: AppFunction, name: str) -> str:
    """Return the key that sets an argument of the extension: the function's, or the stack's."""
    own = name in function.settings.extension.model_fields_set
    return (
        f"{function.section}.extension.{to_camel(name)}" if own else f"extension.{to_camel(name)}"
    )
