"""The only reader of stack config: it checks everything, and reports all errors at once.

`secrets` has the structure of each secret. Values are only in `secretValues`, which is read as a
secret output and never shown.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import config as pulumi_config

from .. import own_files
from ..aws.location import Location
from . import code, functions, missing_exemptions, namespaces, partial, surroundings
from .environment import Environment
from .errors import ConfigError
from .rules import capacity, check, guardrails
from .rules import monitoring as monitoring_rules
from .rules import names as name_rules
from .rules import region as region_rules
from .rules import resource_policy as resource_policy_rules
from .rules.guardrails import Surroundings
from .schema import Settings


class SettingsError(pulumi.RunError, ValueError):
    """The stack's config has errors; the message has a line for each, and maybe a remedy.

    A `RunError`, so `pulumi up` prints the text and no traceback.
    """

    def __init__(self, errors: list[str], remedy: str = "") -> None:
        super().__init__("\n".join([*errors, *(["", remedy] if remedy else [])]))
        self.errors = errors
        self.remedy = remedy


def load() -> Environment:
    """Read and check the config of the running stack.

    Raises:
        SettingsError: all errors, each with key, value, what is allowed, and the file to fix.

    """
    project, stack = pulumi.get_project(), pulumi.get_stack()
    if project in namespaces.RESERVED:
        reserved = (
            f"the project name {project!r} is reserved: Pulumi keeps its own config under it"
        )
        raise SettingsError([f"{reserved}; choose another name in Pulumi.yaml"])
    config = _config()
    keys, misplaced = _keys(project, config)
    # The stack's own file first: the local run deploys it from another folder.
    folders = (own_files.PROJECT, Path(pulumi.get_root_directory() or own_files.PROJECT))
    stack_surroundings, errors = surroundings.read(config, folders, stack)
    read, wrong = _read(config, keys, stack_surroundings)
    settings, region = read.partial.settings, pulumi.Config("aws").get("region") or ""
    packages, code_errors = code.read(functions.functions(settings), own_files.PROJECT)
    environment = Environment(
        project,
        stack,
        region,
        settings,
        packages,
        stack_surroundings.today,
        stack_surroundings.allowed_accounts,
    )
    errors += wrong
    errors += check.errors(read, environment.names, region if region_rules.is_name(region) else "")
    errors += read.partial.judged(code_errors)
    if not environment.ca_bundle.is_file():
        path = settings.database.ca_bundle
        errors.append(ConfigError("database.caBundle", f"must be an existing file, got {path!r}"))
    lines = [*misplaced, *(error.line(project) for error in errors)]
    lines += region_rules.errors(region, read.partial)
    lines = [
        *name_rules.errors(
            project,
            stack,
            has_trail=settings.audit.trail == "own",
            has_parameters=bool(read.parameter_names),
        ),
        *_with_remedy(lines, stack),
    ]
    if lines:
        lacking, needed = guardrails.missing(settings, read.exemption_names, stack_surroundings)
        missing = [key for paths, key in lacking if read.partial.judges(*paths)]
        kept = {key: settings.exemptions[key] for key in needed}
        today = stack_surroundings.today
        raise SettingsError(lines, missing_exemptions.lines(kept, missing, today))
    return environment


def administrators(env: Environment, caller_arn: str) -> list[str]:
    """Return the ARNs in `resourcePolicy.administrators`, if they admit the deployer.

    `caller_arn` is that of GetCallerIdentity.

    Raises:
        SettingsError: the deployer is not among them, and would lock itself out.

    """
    policy = env.settings.resource_policy
    if policy.enabled:
        reject(env, resource_policy_rules.lockout(policy.administrators, caller_arn))
    return policy.administrators


def check_account(env: Environment, account_id: str) -> None:
    """Check what depends on the account of the deployment.

    Raises:
        SettingsError: the account is not allowed, a secret of another account has no customer
            managed key, there are more existing secrets than alarms can watch, or a reader has
            more secrets than its role's policies can grant.

    """
    allowed = env.allowed_accounts
    if allowed and account_id not in allowed:
        rule = f"must list the account of the deployer's credentials, {account_id}"
        got = f"got {', '.join(allowed)}"
        remedy = "use credentials of the right account, or change the list"
        reject(env, [ConfigError("aws:allowedAccountIds", f"{rule}, {got}; {remedy}")])
    existing = env.watched_existing(account_id) if env.settings.monitoring.enabled else []
    errors = [
        *monitoring_rules.existing(existing),
        *capacity.readers(env.settings, env.names, env.foreign_readers(account_id)),
    ]
    for name, secret in env.settings.existing_secrets.items():
        owner = Location.of(secret.existing or "").account_id
        if owner != account_id and not secret.key_arn:
            rule = f"is not set, and the secret belongs to account {owner}"
            why = "Secrets Manager's default key cannot be used from another account"
            remedy = f"set it to the ARN of the secret's KMS key, because {why}"
            errors.append(ConfigError(f"secrets.{name}.keyArn", f"{rule}; {remedy}"))
    reject(env, errors)


def decrypted_values(project: str) -> dict[str, Any]:
    """Read `secretValues`, decrypted: only to compare, never to show."""
    values: Any = surroundings.value(_config().get(f"{project}:secretValues", "{}"))
    return dict(values)


def reject(env: Environment, errors: Iterable[ConfigError]) -> None:
    """Reject the config if it has errors that only AWS's answers show.

    Raises:
        SettingsError: the errors, with the file to fix.

    """
    if lines := [error.line(env.project) for error in errors]:
        raise SettingsError(_with_remedy(lines, env.stack))


def _with_remedy(lines: Iterable[str], stack: str) -> list[str]:
    return [f"{line}; fix it in Pulumi.{stack}.yaml" for line in lines]


def _config() -> dict[str, str]:
    """Read all of the stack's config as Pulumi passes it to a program: decrypted."""
    return {**pulumi_config.get_config_env(), **pulumi_config.CONFIG.get()}


def _keys(project: str, config: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Find the project's keys, including unknown ones: name -> full key; report misplaced keys.

    A misplaced key is checked as if it were in the right namespace, unless that key is also set.
    """
    prefix = f"{project}:"
    keys = {key.removeprefix(prefix): key for key in config if key.startswith(prefix)}
    defaults = Settings().model_dump(by_alias=True, exclude_none=True) | {"secretValues": {}}
    misplaced = []
    for key, name in namespaces.mistaken(project, config, defaults, own_files.PROJECT):
        if name in keys and surroundings.value(config[keys[name]]) != defaults.get(name):
            remedy = f"remove it, because {name} is also set"
        else:
            keys[name], remedy = key, f"write {name} instead"
        misplaced.append(f"{key} is ignored, because the project is named {project!r}; {remedy}")
    return keys, misplaced


def _read(
    config: Mapping[str, str], keys: Mapping[str, str], of_stack: Surroundings
) -> tuple[check.Config, list[ConfigError]]:
    """Read the config without the keys that are wrong by themselves; report their errors."""
    raw = {name: surroundings.value(config[key]) for name, key in keys.items()}
    values = raw.pop("secretValues", {})
    # Decrypted, it would be in the state in plain text like other settings.
    encrypted = [name for name in raw if _is_encrypted(keys[name])]
    message = "is encrypted, at least in part; only secretValues may be encrypted"
    errors = [ConfigError(name, message) for name in encrypted]
    read = partial.read({name: raw[name] for name in raw if name not in encrypted})
    read = read._replace(left_out=(*encrypted, *read.left_out))
    config_read = check.Config(
        read,
        _names(raw, "secrets"),
        _names(raw, "parameters"),
        _names(raw, "functions"),
        _names(raw, "exemptions"),
        values,
        _is_encrypted(keys.get("secretValues", "")),
        of_stack,
    )
    return config_read, [*errors, *read.errors]


def _names(raw: Mapping[str, object], section: str) -> frozenset[str]:
    entries = raw.get(section)
    return frozenset(entries if isinstance(entries, dict) else ())


def _is_encrypted(key: str) -> bool:
    # The first is for inline programs, the second for environment variables.
    return pulumi_config.is_config_secret(key) or (
        key in pulumi_config.get_config_secret_keys_env()
    )
