"""The checks of one function, whatever its code does.

Each check returns a figure. It raises `CheckFailed` if the promise does not hold, and
`CheckSkipped` if it does not apply.
"""

import json
import re
import secrets
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from infra.config import functions
from local.deployment import SEEDING, Deployment
from local.functions import Function, FunctionError, Invocation, NotInvokedError
from local.proofs import memory
from local.proofs.leaks import leaked
from local.proofs.probe import digest
from local.proofs.results import CheckFailed, CheckSkipped
from local.proofs.role_access import READ, copied_configuration, probe, read_as, role_copy

INVOCATIONS = 3
_NO_EVENT = "no `event` in its config"
_NOT_CALLED = "the function was not called"
_NO_SECRET = "the function reads no secret"  # noqa: S105 (a text for people)
_TIMED_OUT = "Task timed out"


@dataclass(frozen=True)
class Calls:
    """The first calls of a function."""

    invocations: tuple[Invocation, ...] = ()
    error: str = ""
    """The error of the function or of Lambda that stopped the calls."""
    raised: str = ""
    """The same error with Lambda's whole response."""
    not_called: str = ""
    """Why it was not called."""
    megabytes: int | None = None
    """Its peak memory, if it can be measured."""


class Readings(NamedTuple):
    """What a function's role can read: id -> `read`, or AWS's error."""

    own: dict[str, str]
    others: dict[str, str]
    through_extension: dict[str, str]
    """ARN of each of its secrets -> what is wrong with what the extension returns, or nothing."""


class CheckContext:
    """What several checks use: the functions' first calls, and what their roles can read."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.functions = deployment.functions
        self.calls = {name: _calls(each) for name, each in self.functions.items()}
        self._readings: dict[str, Readings] = {}

    @cached_property
    def answering(self) -> list[Function]:
        """The functions that return the expected response to their events."""
        found = []
        for name, function in self.functions.items():
            try:
                answers(self, function)
            except (CheckFailed, CheckSkipped):
                continue
            found.append(self.functions[name])
        return found

    @property
    def has_run(self) -> bool:
        """Whether any function of the stack was called, including the seeder."""
        seeds = (each.type == SEEDING for each in self.deployment.record.resources)
        return any(seeds) or not all(each.not_called for each in self.calls.values())

    def has_leak(self, text: str) -> bool:
        """Whether a text contains a secret value of the stack.

        Raises:
            CheckSkipped: the stack has no secret.

        """
        deployment = self.deployment
        if not deployment.secret_arns and not deployment.outputs["parameter_arns"]:
            raise CheckSkipped("this stack has no secret")
        return leaked(text, deployment.canaries)

    def readings(self, function: Function) -> Readings:
        """Let a function's role try to read everything; the result is cached."""
        if function.name not in self._readings:
            self._readings[function.name] = _readings(self.deployment, function)
        return self._readings[function.name]


FunctionCheck = Callable[[CheckContext, Function], str]


def all_functions(check: FunctionCheck) -> Callable[[CheckContext], str]:
    """Turn a check of one function into a check of all functions.

    With one function its figure is used; with several, each has a line of details.
    """

    def checked(context: CheckContext) -> str:
        figures, reasons, failures = {}, {}, {}
        for name, function in context.functions.items():
            try:
                figures[name] = check(context, function)
            except CheckSkipped as skipped:
                reasons[name] = str(skipped)
            except CheckFailed as broken:
                failures[name] = str(broken)
        if len(context.functions) == 1:
            return _only(figures, reasons, failures)
        count = len(context.functions)
        lines = [*_lines("✗", failures), *_lines("✓", figures), *_lines("–", reasons)]
        if failures:
            raise CheckFailed("\n".join([f"{len(failures)} of {count} functions failed", *lines]))
        if not figures:
            same = len(lines) == 1
            of_all = [f"none of {count} functions", *lines]
            raise CheckSkipped(next(iter(reasons.values())) if same else "\n".join(of_all))
        return "\n".join([f"{len(figures)} of {count} functions", *lines])

    return checked


def _only(figures: dict[str, str], reasons: dict[str, str], failures: dict[str, str]) -> str:
    for failure in failures.values():
        raise CheckFailed(failure)
    for reason in reasons.values():
        raise CheckSkipped(reason)
    (figure,) = figures.values()
    return figure


def _lines(mark: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each text, with the functions that it applies to."""
    about: dict[str, list[str]] = {}
    for name, text in sorted(texts.items()):
        about.setdefault(text, []).append(name)
    for text, names in about.items():
        yield f"{mark} {', '.join(names)}: {text}"


def _calls(function: Function) -> Calls:
    invocations: list[Invocation] = []
    try:
        if function.event is None:
            return Calls(not_called=_NO_EVENT)
        invocations.extend(function.invoke() for _ in range(INVOCATIONS))
    except NotInvokedError as error:
        return Calls(not_called=str(error))
    except FunctionError as error:
        return Calls(tuple(invocations), error=str(error), raised=error.payload)
    except (BotoCoreError, ClientError) as error:
        return Calls(tuple(invocations), error=str(error))
    return Calls(tuple(invocations), megabytes=memory.peak_megabytes(function.outputs["name"]))


def answers(context: CheckContext, function: Function) -> str:
    """Check that the function answers its event as expected, each time."""
    calls = context.calls[function.name]
    if calls.not_called:
        raise CheckSkipped(calls.not_called)
    if calls.error:
        if context.has_leak(f"{calls.error}\n{calls.raised}"):
            raise CheckFailed("the function raised an error that contains a secret value")
        raise CheckFailed(calls.error)
    if context.has_leak("\n".join(each.payload for each in calls.invocations)):
        raise CheckFailed("the response contains a secret value")
    for invocation in calls.invocations:
        if differences := function.unmet(invocation):
            raise CheckFailed("; ".join(differences))
    last = calls.invocations[-1]
    size = f"{len(last.payload.encode()):,} bytes"
    return size if last.status is None else f"status {last.status}, {size}"


def agrees(context: CheckContext, function: Function) -> str:
    """Check that the extension returns the values in Secrets Manager."""
    found = context.readings(function).through_extension
    if not found:
        raise CheckSkipped(_NO_SECRET)
    names = {arn: name for name, arn in context.deployment.secret_arns.items()}
    if wrong := {names[arn]: why for arn, why in found.items() if why}:
        reasons = "; ".join(sorted({*wrong.values()}))
        raise CheckFailed(
            f"the extension does not return the value of {', '.join(sorted(wrong))} ({reasons})"
        )
    return f"{len(found)} of {len(found)} secrets"


def one_call(context: CheckContext, function: Function) -> str:
    """Check that the first calls cost no more reads than the cache settings allow."""
    if context.calls[function.name].not_called:
        raise CheckSkipped(_NOT_CALLED)
    deployment, name = context.deployment, function.outputs["name"]
    reads: Counter[str] = Counter()
    for page in (
        deployment.client("cloudtrail")
        .get_paginator("lookup_events")
        .paginate(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": _GET}])
    ):
        reads.update(
            _secret_read(event) for event in page["Events"] if event.get("Username") == name
        )
    most = 1 if function.config.extension_cache_seconds() else INVOCATIONS
    if too_many := {secret: count for secret, count in reads.items() if count > most}:
        secret, count = max(too_many.items(), key=lambda each: each[1])
        raise CheckFailed(f"{count} calls for {secret} instead of at most {most}")
    return f"{reads.total()} {_GET} by {function.name} in CloudTrail"


_GET = "GetSecretValue"


def _secret_read(event: dict[str, Any]) -> str:
    """Return the name of the secret that a call read, by name or by ARN."""
    asked = json.loads(event["CloudTrailEvent"]).get("requestParameters") or {}
    secret_id = str(asked.get("secretId", ""))
    if not secret_id.startswith("arn:"):
        return secret_id
    return re.sub(r"-\w{6}$", "", secret_id.split(":", 6)[6])


def latency(context: CheckContext, function: Function) -> str:
    """Check that the first calls stayed within the function's timeout and memory."""
    calls, own = context.calls[function.name], function.config.settings
    if _TIMED_OUT in calls.error:
        raise CheckFailed(f"the function timed out after {own.timeout_seconds} s")
    if not calls.invocations:
        raise CheckSkipped(_NOT_CALLED if calls.not_called else "the function has not answered")
    first, *later = (invocation.milliseconds for invocation in calls.invocations)
    then = f", then {statistics.median(later):.1f} ms" if later else ""
    took = f"{first:.0f} ms{then}, of {own.timeout_seconds} s"
    if calls.megabytes is None:
        return f"{took}; memory cannot be measured here"
    used = f"{calls.megabytes} MB of {own.memory_mb} MB"
    if calls.megabytes > own.memory_mb:
        raise CheckFailed(f"the function used {used}")
    return f"{took}; {used}"


def only_its_own(context: CheckContext, function: Function) -> str:
    """Check that its role can read its own secrets and parameters, and no others."""
    readings = context.readings(function)
    for name, outcome in readings.others.items():
        action = "ssm:GetParameter" if name.startswith("/") else "secretsmanager:GetSecretValue"
        expect_refusal(outcome, "AccessDeniedException", action)
    if unread := {name: each for name, each in readings.own.items() if each != READ}:
        raise CheckFailed(f"the role cannot read its own: {unread}")
    return f"{len(readings.own)} read, {len(readings.others)} denied"


def rotation_groups(context: CheckContext) -> Iterator[str]:
    """Check that the role of each rotation group can read its secrets and no others.

    Yields a line for each group: the secrets that its role can read.
    """
    deployment = context.deployment
    arns, secrets = deployment.secret_arns, deployment.settings.secrets
    for group, names in functions.rotation_groups(secrets).items():
        admins = {each.admin_secret for name in names if (each := secrets[name].rotation)}
        function = deployment.outputs["rotation_function_arns"][names[0]]
        found = deployment.client("lambda").get_function_configuration(FunctionName=function)
        outcomes = read_as(deployment.client, found["Role"], list(arns.values()))
        admin = next(filter(None, admins), None)
        own = [*names, *([admin] if admin else [])]
        for name, arn in arns.items():
            who = f"the role of rotation group {group}"
            if name in own and outcomes[arn] != READ:
                raise CheckFailed(f"{who} cannot read {name}: {outcomes[arn]}")
            if name not in own and outcomes[arn] == READ:
                raise CheckFailed(f"{who} can also read {name}")
            if name not in own:
                expect_refusal(
                    outcomes[arn], "AccessDeniedException", "secretsmanager:GetSecretValue"
                )
        also = f" and the administrator {admin}" if admin else ""
        denied = len(arns) - len(own)
        yield f"rotation group {group}: {', '.join(names)}{also} read, {denied} denied"


def not_without_key(context: CheckContext, function: Function) -> str:
    """Check that a role with the same permissions, except for the key, is denied."""
    deployment = context.deployment
    existing = deployment.settings.existing_secrets
    arns = [
        deployment.secret_arns[name]
        for name in function.config.settings.secrets
        if name not in existing or existing[name].key_arn
    ]
    if not arns:
        raise CheckSkipped(_NO_SECRET)
    arn = arns[0]
    with (
        without_policy(deployment, arn),  # the policy alone would deny another role
        role_copy(
            deployment.client,
            function.outputs["role_arn"],
            keep=lambda statement: "kms:" not in json.dumps(statement["Action"]),
        ) as role_arn,
    ):
        outcome = read_as(deployment.client, role_arn, [arn])[arn]
    expect_refusal(outcome, "AccessDeniedException", "KMS")
    code = re.search(r"\((\w+)\)", outcome)
    return code[1] if code else outcome


def guarded(context: CheckContext, function: Function) -> str:
    """Check that the resource policy denies another role with the same permissions."""
    deployment = context.deployment
    if not deployment.settings.resource_policy.enabled:
        raise CheckSkipped("no secret in this stack has a resource policy")
    own = function.config.settings.secrets
    arns = [arn for name, arn in deployment.outputs["secret_arns"].items() if name in own]
    if not arns:
        raise CheckSkipped(_NO_SECRET)
    arn = arns[0]
    with role_copy(deployment.client, function.outputs["role_arn"], keep=bool) as role_arn:
        expect_refusal(
            read_as(deployment.client, role_arn, [arn])[arn],
            "AccessDeniedException",
            "resource-based policy",
        )
        with without_policy(deployment, arn):
            if read_as(deployment.client, role_arn, [arn])[arn] != READ:
                raise CheckFailed(
                    "IAM denies this role even without the policy, so this proves nothing"
                )
    return "a role with the function's permissions is denied"


def replicated(context: CheckContext, function: Function) -> str:
    """Check that every secret is replicated, and that its role can read its replicas."""
    deployment = context.deployment
    regions, arns = list(deployment.outputs["replica_key_arns"]), deployment.outputs["secret_arns"]
    if not regions:
        raise CheckSkipped("no secret in this stack has a replica")
    for name, arn in arns.items():
        described = deployment.client("secretsmanager").describe_secret(SecretId=arn)
        found = {each["Region"]: each["Status"] for each in described["ReplicationStatus"]}
        if found != dict.fromkeys(regions, "InSync"):
            raise CheckFailed(
                f"the replicas of {name} must be InSync in {', '.join(regions)}, got {found}"
            )
    readable = [arn for name, arn in arns.items() if name in function.config.settings.secrets]
    for region in regions:
        replicas = [arn.replace(deployment.stack.region, region, 1) for arn in readable]
        client = partial(deployment.aws.client, region=region)
        outcomes = read_as(client, function.outputs["role_arn"], replicas) if replicas else {}
        if {*outcomes.values()} - {READ}:
            raise CheckFailed(f"the role cannot read its own replicas in {region}: {outcomes}")
    return f"{len(arns)} secrets in {', '.join(regions)}, {len(readable)} read there"


def expect_refusal(outcome: str, code: str, subject: str) -> None:
    """Raise `CheckFailed` unless an outcome is the expected denial."""
    if code not in outcome or subject not in outcome:
        raise CheckFailed(f"expected {code} on {subject}, got: {outcome}")


@contextmanager
def without_policy(deployment: Deployment, arn: str) -> Iterator[None]:
    """Remove a secret's resource policy, if any, for the time of a `with` block."""
    client = deployment.client("secretsmanager")
    policy = client.get_resource_policy(SecretId=arn).get("ResourcePolicy")
    if policy is not None:
        client.delete_resource_policy(SecretId=arn)
    try:
        yield
    finally:
        if policy is not None:
            client.put_resource_policy(SecretId=arn, ResourcePolicy=policy)


def _readings(deployment: Deployment, function: Function) -> Readings:
    own, names = function.config.settings, deployment.names
    parameters = {names.parameter_prefix + name for name in own.parameters}
    arns = {name: deployment.secret_arns[name] for name in own.secrets}
    key, region = secrets.token_hex(), deployment.stack.region
    here = [arn for arn in arns.values() if arn.split(":")[3] == region]
    with _another_secret(deployment) as other:
        answer = probe(
            deployment.client,
            function.outputs["role_arn"],
            {
                "SecretIds": [*deployment.secret_arns.values(), other],
                "ParameterNames": list(deployment.outputs["parameter_arns"]),
                "ThroughExtension": here,
                "Key": key,
            },
            **_without_time_limit(copied_configuration(function)),
        )
    outcomes = {**answer["Secrets"], **answer["Parameters"]}
    mine = {*arns.values(), *parameters}
    return Readings(
        {name: outcome for name, outcome in outcomes.items() if name in mine},
        {name: outcome for name, outcome in outcomes.items() if name not in mine},
        {
            arn: _difference(answer["Digests"][arn], digest(deployment.secret_text(arn), key))
            for arn in here
        },
    )


def _without_time_limit(configuration: dict[str, Any]) -> dict[str, Any]:
    """Let the extension wait for a busy machine: the check is about what it returns."""
    variables = configuration["Environment"]["Variables"]
    unlimited = {**variables, "SECRETS_MANAGER_TIMEOUT_MILLIS": "0"}
    return {**configuration, "Environment": {"Variables": unlimited}}


def _difference(found: str, expected: str) -> str:
    if found == expected:
        return ""
    return "another value" if re.fullmatch("[0-9a-f]{64}", found) else found


@contextmanager
def _another_secret(deployment: Deployment) -> Iterator[str]:
    """Create a secret with the same key and prefix that no role can read; yield its ARN."""
    client = deployment.client("secretsmanager")
    arn = client.create_secret(
        Name=f"{deployment.names.secret_prefix}{secrets.token_hex(4)}",
        KmsKeyId=deployment.outputs["key_arn"],
        SecretString=secrets.token_urlsafe(),
    )["ARN"]
    try:
        yield arn
    finally:
        client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
