"""Warnings about config that is allowed but probably wrong. Pure: no Pulumi."""

import json
from collections.abc import Iterator
from datetime import date, timedelta

from ..aws.limits import KEY_POLICY_BYTES, ROLES_PER_ACCOUNT, RUNTIME_DEPRECATIONS
from ..aws.location import Location
from ..policies.iam import key_policy
from .environment import Environment
from .functions import functions, rotation_functions
from .schema import Settings

# AWS announces a deprecation so long before it.
_NOTICE = timedelta(days=180)
# Fields of its secret that the example `app` needs.
_OF_APP = ("username", "password")


def warnings(env: Environment, account_id: str) -> Iterator[str]:
    """Yield a line for each warning; `account_id` is that of the deployment."""
    settings, region = env.settings, env.region
    if not settings.functions:
        yield from _example(settings)
    yield from _roles(settings)
    yield from _key_policy(env, account_id)
    yield from _runtimes(env)
    if settings.audit.trail == "none":
        return
    for name, secret in settings.existing_secrets.items():
        owner = Location.of(secret.existing or "")
        if (owner.region, owner.account_id) != (region, account_id):
            yield (
                f"secrets.{name} is in region {owner.region} of account {owner.account_id}, so"
                " this stack's trail and alarms do not see who reads or changes it"
            )


def _roles(settings: Settings) -> Iterator[str]:
    """Warn of more roles than an account may have by default."""
    count = len(functions(settings)) + len(rotation_functions(settings))
    if count > ROLES_PER_ACCOUNT:
        quota = f"an account may have {ROLES_PER_ACCOUNT} by default"
        remedy = (
            "request a higher quota of IAM roles (up to 5,000), let secrets share a function"
            " (`rotation.group`), or split the stack"
        )
        yield f"the functions and rotations need {count} roles, but {quota}; {remedy}"


def _key_policy(env: Environment, account_id: str) -> Iterator[str]:
    """Warn of a policy of the environment's key that is larger than KMS allows by default."""
    foreign = env.foreign_readers(account_id)
    policy = key_policy(
        Location(env.partition, env.region, account_id),
        env.log_group_prefix,
        parameters=env.has_secure_parameters,
        replication_regions=env.settings.replica_regions,
        foreign_readers=foreign,
    )
    size = len(json.dumps(policy, separators=(",", ":")))
    if size > KEY_POLICY_BYTES:
        yield (
            f"readers lists {len(foreign)} roles of other accounts, which need a key policy of"
            f" {size} bytes, but KMS allows {KEY_POLICY_BYTES} by default; request a higher quota"
            " of the key policy's size, list fewer roles and secrets, or split the stack"
        )


def _runtimes(env: Environment) -> Iterator[str]:
    """Warn of Python and Node runtimes that Lambda has deprecated, or soon will."""
    used: dict[str, list[str]] = {}
    for function in env.functions.values():
        used.setdefault(function.settings.runtime, []).append(f"{function.section}.runtime")
    if internal := env.settings.internal_functions.runtime:
        used.setdefault(internal, []).append("internalFunctions.runtime")
    today = date.fromisoformat(env.today)
    for runtime, keys in used.items():
        day = date.fromisoformat(RUNTIME_DEPRECATIONS.get(runtime, "9999-12-31"))
        if day - today <= _NOTICE:
            verb = "deprecates on" if today <= day else "deprecated on"
            effect = "no security updates, and after two months no changes of the function"
            rule = f"{runtime}, which Lambda {verb} {day}: {effect}; choose a newer runtime"
            yield f"{', '.join(keys)}: {rule}"


def _example(settings: Settings) -> Iterator[str]:
    function = settings.function
    if function.secrets is None:
        yield (
            "function.secrets is not set, so the function may read every secret of the stack"
            f" except admin secrets; list the secrets that it needs, such as [{function.secret}]"
        )
    secret = settings.own_secrets.get(function.secret)
    if secret is None or secret.source != "generate" or function.handler != "app":
        return
    fields = {*secret.fields, *secret.generate}
    if missing := [name for name in _OF_APP if name not in fields]:
        lacks = " and no ".join(missing)
        yield (
            f"function.secret is {function.secret!r}, whose value has no {lacks}; without them,"
            " handler `app` answers with status 500"
        )
