"""The checks of a deployment: one for each promise, with a figure."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from local.deployment import SEEDING, Deployment
from local.proofs import function_checks, incidents
from local.proofs.function_checks import Evidence, of_each
from local.proofs.leaks import leaked, leaked_file
from local.proofs.results import Broken, Outcome, Skipped, tried
from local.proofs.traffic import Traffic, callers_of, rotate

_CALLERS = 4
_SETTLED_REQUESTS = 5


def run(deployment: Deployment) -> Iterator[Outcome]:
    """Call each function three times, then run every check; yield each outcome at once."""
    evidence = Evidence(deployment)
    for promise, check in _CHECKS.items():
        yield tried(promise, partial(check, evidence))


def _logs(evidence: Evidence) -> str:
    lines = evidence.deployment.log_lines()
    if not lines and not evidence.has_run:
        raise Skipped("no function was called")
    if not lines:
        raise Broken("the log groups are empty")
    if evidence.has_leak("\n".join(lines)):
        raise Broken("a log line contains a secret value")
    return f"{len(lines)} lines searched for {len(evidence.deployment.canaries)} values"


def _nowhere(evidence: Evidence) -> str:
    deployment = evidence.deployment
    functions = deployment.client("lambda").list_functions()["Functions"]
    places: Mapping[str, str] = {
        "the state": deployment.record.state,
        "an output": json.dumps(deployment.outputs),
        "an environment variable": json.dumps([each.get("Environment") for each in functions]),
    }
    for place, text in places.items():
        if evidence.has_leak(text):
            raise Broken(f"{place} contains a secret value")
    packed, canaries = set(deployment.package_contents()), deployment.canaries
    for name, content in packed:
        if leaked(name, canaries) or leaked_file(content, canaries):
            raise Broken("a package contains a secret value")
    size = sum(map(len, places.values())) + sum(len(content) for _, content in packed)
    return f"{len(places) + 1} places, {size // 1024} KiB searched"


def _seeded_once(evidence: Evidence) -> str:
    deployment = evidence.deployment
    kept = 0
    for each in deployment.record.resources:
        if each.type == SEEDING:
            before = json.loads(each.outputs["result"])["VersionId"]
            answer = deployment.client("lambda").invoke(
                FunctionName=each.inputs["functionName"], Payload=each.inputs["input"].encode()
            )
            after = json.loads(answer["Payload"].read())
            if after.get("VersionId") != before:
                raise Broken(f"{each.name} wrote a new version: {after}")
            kept += 1
    if not kept:
        raise Skipped("no secret has a generated value")
    return f"{kept} versions unchanged"


def _rotates(evidence: Evidence) -> str:
    deployment = evidence.deployment
    if not deployment.rotating:
        raise Skipped("no secret in this stack rotates")
    if not evidence.answering:
        raise Skipped("no function answers its event as expected")
    canaries, earlier = deployment.canaries, set(deployment.log_lines())
    with Traffic(*callers_of(evidence.answering, _CALLERS)) as traffic:
        try:
            traffic.wait_for_every_caller()
            for name in deployment.rotating:
                traffic.wait_for_requests(_SETTLED_REQUESTS)
                rotate(deployment, deployment.outputs["secret_arns"][name])
                # Functions with a connection must log in again, with the old password cached.
                deployment.sessions(name, end=True)
        except TimeoutError as error:
            raise Broken(str(error)) from error
        traffic.wait_for_requests(_SETTLED_REQUESTS)
    if traffic.failures:
        fault, times = traffic.failures.most_common(1)[0]
        raise Broken(f"{traffic.failures.total()} requests failed, {times} of them with: {fault}")
    logged = [line for line in deployment.log_lines() if line not in earlier]
    logged.append(deployment.server.log() if deployment.server else "")
    if leaked("\n".join(logged), canaries | deployment.canaries):
        raise Broken("a log line contains a secret value from before or after the rotation")
    return f"{len(deployment.rotating)} rotated, {traffic.requests} requests, 0 failed"


def _tells(evidence: Evidence) -> str:
    if "alarm_names" not in evidence.deployment.outputs:
        raise Skipped("this stack has no alarms")
    try:
        told = incidents.cause(evidence.deployment)
    except TimeoutError as error:
        raise Broken(str(error)) from error
    slowest = max(each.seconds for each in told.values())
    lines = [
        f"{name} reported after {each.seconds:.1f} s, OK {each.over_after_seconds:.0f} s later:"
        f" {each.description}"
        for name, each in told.items()
    ]
    return "\n".join([f"{len(told)} reported, the slowest after {slowest:.1f} s", *lines])


_CHECKS: dict[str, Callable[[Evidence], str]] = {
    "every function answers as expected and reveals no secret value": of_each(
        function_checks.answers
    ),
    "the extension returns the values in Secrets Manager": of_each(function_checks.agrees),
    "three invocations cost at most one GetSecretValue per secret": of_each(
        function_checks.one_call
    ),
    "first and later invocations stay within timeout and memory": of_each(function_checks.latency),
    "the logs contain no secret value": _logs,
    "each role can read its own secrets and no others": of_each(function_checks.only_its_own),
    "without permission for the key, each role is denied": of_each(
        function_checks.not_without_key
    ),
    "no secret value in state, outputs, environment or package": _nowhere,
    "generating the initial values again changes none of them": _seeded_once,
    "the resource policy denies a role that IAM alone allows": of_each(function_checks.guarded),
    "every secret is replicated, and each role can read replicas": of_each(
        function_checks.replicated
    ),
    "no request fails while every secret rotates": _rotates,
    "alarms notify a subscriber, then return to OK": _tells,
}

PROMISES = tuple(_CHECKS)
"""The names of the checks, in order."""
