"""The checks of a deployment: one for each promise, with a figure."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from local.deployment import SEEDING, Deployment
from local.proofs import function_checks, incidents
from local.proofs.function_checks import CheckContext, all_functions
from local.proofs.leaks import leaked, leaked_file
from local.proofs.results import CheckFailed, CheckResult, CheckSkipped, run_check
from local.proofs.traffic import Traffic, callers_of, rotate

_CALLERS = 4
_SETTLED_REQUESTS = 5


def run(deployment: Deployment) -> Iterator[CheckResult]:
    """Call each function three times, then run every check; yield each outcome at once."""
    context = CheckContext(deployment)
    for promise, check in _CHECKS.items():
        yield run_check(promise, partial(check, context))


def _no_leak_in_logs(context: CheckContext) -> str:
    lines = context.deployment.log_lines()
    if not lines and not context.has_run:
        raise CheckSkipped("no function was called")
    if not lines:
        raise CheckFailed("the log groups are empty")
    if context.has_leak("\n".join(lines)):
        raise CheckFailed("a log line contains a secret value")
    return f"{len(lines)} lines searched for {len(context.deployment.canaries)} values"


def _no_leak_anywhere(context: CheckContext) -> str:
    deployment = context.deployment
    functions = deployment.client("lambda").list_functions()["Functions"]
    places: Mapping[str, str] = {
        "the state": deployment.record.state,
        "an output": json.dumps(deployment.outputs),
        "an environment variable": json.dumps([each.get("Environment") for each in functions]),
    }
    for place, text in places.items():
        if context.has_leak(text):
            raise CheckFailed(f"{place} contains a secret value")
    packed, canaries = set(deployment.package_contents()), deployment.canaries
    for name, content in packed:
        if leaked(name, canaries) or leaked_file(content, canaries):
            raise CheckFailed("a package contains a secret value")
    size = sum(map(len, places.values())) + sum(len(content) for _, content in packed)
    return f"{len(places) + 1} places, {size // 1024} KiB searched"


def _only_their_own(context: CheckContext) -> str:
    try:
        figure = all_functions(function_checks.only_its_own)(context)
    except CheckSkipped:
        groups = list(function_checks.rotation_groups(context))
        if not groups:
            raise
        return "\n".join(["the roles of rotation groups", *groups])
    return "\n".join([figure, *function_checks.rotation_groups(context)])


def _keeps_initial_values(context: CheckContext) -> str:
    deployment = context.deployment
    kept = 0
    for each in deployment.record.resources:
        if each.type == SEEDING:
            before = json.loads(each.outputs["result"])["VersionId"]
            answer = deployment.client("lambda").invoke(
                FunctionName=each.inputs["functionName"], Payload=each.inputs["input"].encode()
            )
            after = json.loads(answer["Payload"].read())
            if after.get("VersionId") != before:
                raise CheckFailed(f"{each.name} wrote a new version: {after}")
            kept += 1
    if not kept:
        raise CheckSkipped("no secret has a generated value")
    return f"{kept} versions unchanged"


def _rotates_without_failures(context: CheckContext) -> str:
    deployment = context.deployment
    if not deployment.rotating:
        raise CheckSkipped("no secret in this stack rotates")
    if not context.answering:
        raise CheckSkipped("no function answers its event as expected")
    canaries, earlier = deployment.canaries, set(deployment.log_lines())
    with Traffic(*callers_of(context.answering, _CALLERS)) as traffic:
        try:
            traffic.wait_for_every_caller()
            for name in deployment.rotating:
                traffic.wait_for_requests(_SETTLED_REQUESTS)
                rotate(deployment, deployment.outputs["secret_arns"][name])
                # Functions with a connection must log in again, with the old password cached.
                deployment.sessions(name, end=True)
        except TimeoutError as error:
            raise CheckFailed(str(error)) from error
        traffic.wait_for_requests(_SETTLED_REQUESTS)
    if traffic.failures:
        failure, times = traffic.failures.most_common(1)[0]
        raise CheckFailed(
            f"{traffic.failures.total()} requests failed, {times} of them with: {failure}"
        )
    logged = [line for line in deployment.log_lines() if line not in earlier]
    logged.append(deployment.server.log() if deployment.server else "")
    if leaked("\n".join(logged), canaries | deployment.canaries):
        raise CheckFailed("a log line contains a secret value from before or after the rotation")
    return f"{len(deployment.rotating)} rotated, {traffic.requests} requests, 0 failed"


def _alarms_notify(context: CheckContext) -> str:
    if "alarm_names" not in context.deployment.outputs:
        raise CheckSkipped("this stack has no alarms")
    try:
        notifications = incidents.trigger(context.deployment)
    except TimeoutError as error:
        raise CheckFailed(str(error)) from error
    slowest = max(each.seconds for each in notifications.values())
    lines = [
        f"{name} reported after {each.seconds:.1f} s, OK {each.recovery_seconds:.0f} s later:"
        f" {each.description.splitlines()[0]}"
        for name, each in notifications.items()
    ]
    return "\n".join([f"{len(notifications)} reported, the slowest after {slowest:.1f} s", *lines])


_CHECKS: dict[str, Callable[[CheckContext], str]] = {
    "every function answers as expected and reveals no secret value": all_functions(
        function_checks.answers
    ),
    "the extension returns the values in Secrets Manager": all_functions(function_checks.agrees),
    "three invocations cost at most one GetSecretValue per secret": all_functions(
        function_checks.one_call
    ),
    "first and later invocations stay within timeout and memory": all_functions(
        function_checks.latency
    ),
    "the logs contain no secret value": _no_leak_in_logs,
    "each role can read its own secrets and no others": _only_their_own,
    "without permission for the key, each role is denied": all_functions(
        function_checks.not_without_key
    ),
    "no secret value in state, outputs, environment or package": _no_leak_anywhere,
    "generating the initial values again changes none of them": _keeps_initial_values,
    "the resource policy denies a role that IAM alone allows": all_functions(
        function_checks.guarded
    ),
    "every secret is replicated, and each role can read replicas": all_functions(
        function_checks.replicated
    ),
    "no request fails while every secret rotates": _rotates_without_failures,
    "alarms notify a subscriber, then return to OK": _alarms_notify,
}

PROMISES = tuple(_CHECKS)
"""The names of the checks, in order."""
