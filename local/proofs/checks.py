"""What a deployment promises, each promise tried; a figure for each."""

import json
import re
import secrets
import statistics
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from local.deployment import Deployment, FunctionError, Invocation
from local.engines.pulumi_engine import PulumiError
from local.proofs import incidents
from local.proofs.traffic import Traffic, rotate
from local.proofs.trial import READ, read_as, role_like

_INVOCATIONS = 3
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/nrtbf]))')
# Less of it would be found in any text of base64.
_OWN_BASE64 = 6
_BODY = {"message", "database_host", "database_name", "username", "note"}
# What each handler tells besides.
_OWN = {
    "app.lambda_handler": {"extension_cache"},
    "query.lambda_handler": {"session_user", "secret_version", "connected"},
}
_CALLERS = 4
_SETTLED_REQUESTS = 20
_OK = 200


class Broken(Exception):  # noqa: N818 (a promise is broken)
    """A promise does not hold; the text says how, and holds no value."""


@dataclass(frozen=True)
class Outcome:
    """How a check went."""

    promise: str
    kept: bool
    figure: str
    """The measured figure, or how the promise was broken; further lines are details."""


@dataclass(frozen=True)
class Evidence:
    """What several checks look at."""

    deployment: Deployment
    invocations: tuple[Invocation, ...]


def run(deployment: Deployment) -> Iterator[Outcome]:
    """Call the function three times, then try every promise; one outcome each, as it is known."""
    try:
        invocations = tuple(deployment.invoke() for _ in range(_INVOCATIONS))
    except FunctionError as error:
        yield Outcome(next(iter(_CHECKS)), kept=False, figure=str(error))
        return
    evidence = Evidence(deployment, invocations)
    for promise, check in _CHECKS.items():
        yield tried(promise, partial(check, evidence))


def tried(promise: str, check: Callable[[], str]) -> Outcome:
    """Try a promise by a check that returns the figure, or raises."""
    try:
        return Outcome(promise, kept=True, figure=check())
    except (Broken, PulumiError, BotoCoreError, ClientError) as broken:
        return Outcome(promise, kept=False, figure=str(broken))
    except Exception as error:  # noqa: BLE001 (its text may quote what it choked on)
        return Outcome(promise, kept=False, figure=f"the check ended by {type(error).__name__}")


def leaked(text: str, canaries: Collection[str]) -> bool:
    """Whether a text holds a value, as it is or as JSON, a URL or base64 would write it.

    Raises:
        Broken: there is no value to look for, so finding none would mean nothing.

    """
    if not canaries:
        raise Broken("there is no secret value to look for")
    readings = _readings(text)
    return any(
        any(form in reading for form in (canary, _plainest(canary)) for reading in readings)
        or any(form in text for form in _base64_forms(canary.encode()))
        for canary in canaries
    )


def _readings(text: str) -> set[str]:
    """Read a text with every number of layers of escapes, of JSON and of URLs, taken off.

    The plainest is not enough: what ends in a backslash loses it with one layer too many.
    """
    found, waiting = {text}, [text]
    while waiting:
        layer = waiting.pop()
        new = {_ESCAPE.sub(_unescape, layer), unquote(layer)} - found
        found |= new
        waiting += new
    return {_joined(each) for each in found}


def _plainest(text: str) -> str:
    """Take off every layer of escapes."""
    while (plainer := unquote(_ESCAPE.sub(_unescape, text))) != text:
        text = plainer
    return _joined(text)


def _joined(text: str) -> str:
    """Join what was written as a pair: characters beyond 65,535."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}.get(found[2], found[2])


def _base64_forms(value: bytes) -> set[str]:
    """Write a value as it stands inside base64 of anything, wherever it begins there."""
    forms = set()
    for before in range(3):
        encoded = b64encode(bytes(before) + value).decode()
        # Characters that share bits with what stands around the value are not its own.
        own = encoded[(before * 8 + 5) // 6 : (before + len(value)) * 8 // 6]
        if len(own) >= _OWN_BASE64:
            forms |= {own, own.translate(str.maketrans("+/", "-_"))}
    return forms


def _answers(evidence: Evidence) -> str:
    body = _BODY | _OWN[evidence.deployment.handler]
    for invocation in evidence.invocations:
        if invocation.status != _OK:
            raise Broken(f"status {invocation.status}: {invocation.body.get('error')}")
        if set(invocation.body) != body:
            raise Broken(f"fields {sorted(invocation.body)}")
        if leaked(invocation.payload, evidence.deployment.canaries):
            raise Broken("the answer holds a secret value")
        if not invocation.body["message"].endswith("through the extension"):
            raise Broken(invocation.body["message"])
    return f"status {_OK}, {len(body)} fields"


def _agrees(evidence: Evidence) -> str:
    deployment = evidence.deployment
    secret = json.loads(deployment.secret_text(deployment.environment["SECRET_NAME"]))
    body = evidence.invocations[0].body
    if not set(body) >= _BODY:
        raise Broken("there is no answer to compare")
    fields = {"database_host": "host", "database_name": "dbname", "username": "username"}
    for returned, stored in fields.items():
        if body[returned] != (secret.get(stored) or secret.get(returned)):
            raise Broken(f"{returned} is not what the secret holds")
    return f"{len(fields)} of {len(fields)} fields"


def _one_call(evidence: Evidence) -> str:
    deployment = evidence.deployment
    function = deployment.outputs["function_name"]
    calls = 0
    for page in (
        deployment.client("cloudtrail")
        .get_paginator("lookup_events")
        .paginate(
            LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GetSecretValue"}]
        )
    ):
        calls += sum(event.get("Username") == function for event in page["Events"])
    cached = evidence.invocations[0].body.get("extension_cache") != "Disabled"
    expected = 1 if cached else len(evidence.invocations)
    if calls != expected:
        raise Broken(f"{calls} calls instead of {expected}")
    return f"{calls} by {function}, in CloudTrail"


def _latency(evidence: Evidence) -> str:
    first, *later = (invocation.milliseconds for invocation in evidence.invocations)
    return f"{first:.0f} ms, then {statistics.median(later):.1f} ms"


def _logs(evidence: Evidence) -> str:
    lines = evidence.deployment.log_lines()
    if not lines:
        raise Broken("there is no log line to look at")
    if leaked("\n".join(lines), evidence.deployment.canaries):
        raise Broken("a log line holds a secret value")
    return f"{len(lines)} lines, {len(evidence.deployment.canaries)} values looked for"


def _only_its_own(evidence: Evidence) -> str:
    deployment = evidence.deployment
    arns = deployment.outputs["secret_arns"]
    with _another_secret(deployment) as other:
        outcomes = read_as(
            deployment.client, deployment.outputs["role_arn"], [*arns.values(), other]
        )
    others = [other, *(arns[name] for name in deployment.administrators)]
    for arn in others:
        _expect_refusal(
            outcomes.pop(arn), "AccessDeniedException", "secretsmanager:GetSecretValue"
        )
    if set(outcomes.values()) != {READ}:
        raise Broken(f"it cannot read its own: {outcomes}")
    return f"{len(outcomes)} read, {len(others)} refused"


def _not_without_key(evidence: Evidence) -> str:
    deployment = evidence.deployment
    arn = deployment.outputs["secret_arns"][deployment.secret]
    with (
        _without_policy(deployment, arn),  # which refuses another role already
        role_like(
            deployment.client,
            deployment.outputs["role_arn"],
            keep=lambda statement: "kms:" not in json.dumps(statement["Action"]),
        ) as role_arn,
    ):
        outcome = read_as(deployment.client, role_arn, [arn])[arn]
    _expect_refusal(outcome, "AccessDeniedException", "KMS")
    code = re.search(r"\((\w+)\)", outcome)
    return code[1] if code else outcome


def _nowhere(evidence: Evidence) -> str:
    deployment = evidence.deployment
    functions = deployment.client("lambda").list_functions()["Functions"]
    places: Mapping[str, str] = {
        "the state": deployment.record.state,
        "an output": json.dumps(deployment.outputs),
        "an environment variable": json.dumps([each.get("Environment") for each in functions]),
        "a package": "\n".join(
            f"{name} {code.decode('latin-1')}" for name, code in deployment.package_contents()
        ),
    }
    for place, text in places.items():
        if leaked(text, deployment.canaries):
            raise Broken(f"{place} holds a secret value")
    return f"{len(places)} places, {sum(map(len, places.values())) // 1024} KiB"


def _seeded_once(evidence: Evidence) -> str:
    deployment = evidence.deployment
    kept = 0
    for each in deployment.record.resources:
        if each.type == "aws:lambda/invocation:Invocation":
            before = json.loads(each.outputs["result"])["VersionId"]
            answer = deployment.client("lambda").invoke(
                FunctionName=each.inputs["functionName"], Payload=each.inputs["input"].encode()
            )
            after = json.loads(answer["Payload"].read())
            if after.get("VersionId") != before:
                raise Broken(f"{each.name} wrote again: {after}")
            kept += 1
    return f"{kept} versions unchanged" if kept else "no secret has a generated value"


def _rotates(evidence: Evidence) -> str:
    deployment = evidence.deployment
    if not deployment.rotating:
        return "no secret of this stack rotates"
    canaries = deployment.canaries
    with Traffic(deployment, _CALLERS) as traffic:
        try:
            traffic.wait_for_every_caller()
            for name in deployment.rotating:
                traffic.wait_for_requests(_SETTLED_REQUESTS)
                rotate(deployment, deployment.outputs["secret_arns"][name])
                # Whoever has kept a connection logs in again, with the old password cached.
                deployment.sessions(name, end=True)
        except TimeoutError as error:
            raise Broken(str(error)) from error
        traffic.wait_for_requests(_SETTLED_REQUESTS)
    if traffic.failures:
        fault, times = traffic.failures.most_common(1)[0]
        raise Broken(f"{traffic.failures.total()} requests failed, {times} of them by: {fault}")
    logged = [*deployment.log_lines(), deployment.server.log() if deployment.server else ""]
    if leaked("\n".join(logged), canaries | deployment.canaries):
        raise Broken("a log line holds a secret value, of before or after")
    return f"{len(deployment.rotating)} rotated, {traffic.requests} requests, 0 failed"


def _guarded(evidence: Evidence) -> str:
    deployment = evidence.deployment
    arn = deployment.outputs["secret_arns"][deployment.secret]
    client = deployment.client("secretsmanager")
    if "ResourcePolicy" not in client.get_resource_policy(SecretId=arn):
        return "no secret of this stack has a resource policy"
    with role_like(deployment.client, deployment.outputs["role_arn"], keep=bool) as role_arn:
        _expect_refusal(
            read_as(deployment.client, role_arn, [arn])[arn],
            "AccessDeniedException",
            "resource-based policy",
        )
        with _without_policy(deployment, arn):
            if read_as(deployment.client, role_arn, [arn])[arn] != READ:
                raise Broken("IAM alone refuses the role, so nothing is shown")
    return "a role with the reader's grants is refused"


def _replicated(evidence: Evidence) -> str:
    deployment = evidence.deployment
    regions, arns = list(deployment.outputs["replica_key_arns"]), deployment.outputs["secret_arns"]
    if not regions:
        return "no secret of this stack has a replica"
    for name, arn in arns.items():
        described = deployment.client("secretsmanager").describe_secret(SecretId=arn)
        found = {each["Region"]: each["Status"] for each in described["ReplicationStatus"]}
        if found != dict.fromkeys(regions, "InSync"):
            raise Broken(f"the replicas of {name} are {found}")
    readable = [arn for name, arn in arns.items() if name not in deployment.administrators]
    for region in regions:
        replicas = [arn.replace(deployment.stack.region, region, 1) for arn in readable]
        client = partial(deployment.aws.client, region=region)
        outcomes = read_as(client, deployment.outputs["role_arn"], replicas)
        if set(outcomes.values()) != {READ}:
            raise Broken(f"it cannot read its own in {region}: {outcomes}")
    return f"{len(arns)} in {', '.join(regions)}, {len(readable)} read there"


def _tells(evidence: Evidence) -> str:
    if "alarm_names" not in evidence.deployment.outputs:
        return "this stack has no alarms"
    try:
        told = incidents.cause(evidence.deployment)
    except TimeoutError as error:
        raise Broken(str(error)) from error
    slowest = max(each.seconds for each in told.values())
    lines = [
        f"{name} after {each.seconds:.1f} s, over {each.over_after_seconds:.0f} s later:"
        f" {each.description}"
        for name, each in told.items()
    ]
    return "\n".join([f"{len(told)} told, the last after {slowest:.1f} s", *lines])


def _expect_refusal(outcome: str, code: str, subject: str) -> None:
    if code not in outcome or subject not in outcome:
        raise Broken(f"expected {code} on {subject}, got: {outcome}")


@contextmanager
def _without_policy(deployment: Deployment, arn: str) -> Iterator[None]:
    """Take a secret's resource policy away, if it has one, and put it back."""
    client = deployment.client("secretsmanager")
    policy = client.get_resource_policy(SecretId=arn).get("ResourcePolicy")
    if policy is not None:
        client.delete_resource_policy(SecretId=arn)
    try:
        yield
    finally:
        if policy is not None:
            client.put_resource_policy(SecretId=arn, ResourcePolicy=policy)


@contextmanager
def _another_secret(deployment: Deployment) -> Iterator[str]:
    """Make a secret under the same key and prefix that no role was granted; yield its ARN."""
    client = deployment.client("secretsmanager")
    arn = client.create_secret(
        Name=f"{deployment.stack.project}/{deployment.stack.name}/{secrets.token_hex(4)}",
        KmsKeyId=deployment.outputs["key_arn"],
        SecretString=secrets.token_urlsafe(),
    )["ARN"]
    try:
        yield arn
    finally:
        client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


_CHECKS: dict[str, Callable[[Evidence], str]] = {
    "the function answers with every field and no secret value": _answers,
    "its fields agree with the secret as the administrator reads it": _agrees,
    "three invocations cost one GetSecretValue": _one_call,
    "first invocation, then later ones": _latency,
    "the logs hold no secret value": _logs,
    "the role reads its secrets and is refused another": _only_its_own,
    "without the grant for the key, the role is refused": _not_without_key,
    "no secret value in state, outputs, environment or package": _nowhere,
    "seeding again keeps every generated value": _seeded_once,
    "the secrets' own policy refuses a role that IAM lets read": _guarded,
    "every secret has its replicas, and the role reads them": _replicated,
    "no request fails while every secret is rotated": _rotates,
    "incidents reach a subscriber, and the alarms end": _tells,
}

PROMISES = tuple(_CHECKS)
"""What is checked, in the order of checking."""
