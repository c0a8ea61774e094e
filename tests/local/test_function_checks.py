"""Each check of a function, on functions that keep and break it, all in one stack."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local import deployment
from local.deployment import Deployment
from local.proofs import checks
from local.proofs.results import CheckResult
from local.proofs.traffic import callers, callers_of
from tests.recording import stack

pytestmark = pytest.mark.exhaustive

READS = """
import json, os, urllib.request

def read():
    name = os.environ["SECRET_NAME"]
    port = os.environ["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"]
    url = f"http://localhost:{port}/secretsmanager/get?secretId={name}"
    headers = {"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return json.loads(json.loads(answer.read())["SecretString"])
"""
BODIES = {
    "foreign": "nothing here runs Java",
    "good": "return {'fields': sorted(read()), 'echo': event}",
    "large": "global kept; kept = bytearray(200 * 1024 * 1024); return len(kept)",
    "leaky": "return read()['key']",
    "loud": "raise RuntimeError(read()['key'])",
    "raising": "raise ValueError(event['number'])",
    "silent": "return 1",
    "slow": "import time; time.sleep(30)",
    "unlike": "return {'statusCode': 200, 'body': json.dumps({'number': event['number']})}",
}
EXPECTED = {
    "good": {"fields": ["dbname", "host", "password"], "echo": {"number": 7}},
    "unlike": {"body": {"number": 8}},
}
ANSWERS, AGREES, ONE_CALL, LATENCY = checks.PROMISES[:4]
LOGS, OWN = checks.PROMISES[4:6]
ROTATES = "no request fails while every secret rotates"


def function(folder: Path, name: str) -> dict[str, Any]:
    (folder / f"{name}.py").write_text(
        f"{READS}\ndef handle(event, context):\n    {BODIES[name]}\n"
    )
    written: dict[str, Any] = {
        "code": str(folder / f"{name}.py"),
        "handler": f"{name}.handle",
        "secrets": ["session"] if name in {"leaky", "loud"} else ["database"],
        "parameters": ["plain"] if name == "good" else ["secure"],
        "memoryMb": 128,
        "tracing": False,
    }
    if name == "foreign":
        written |= {"handler": "Foreign::handle", "runtime": "java21"}
    if name in EXPECTED:
        written["expect"] = EXPECTED[name]
    if name == "slow":
        written |= {"timeoutSeconds": 1, "extension": {"secretsTimeoutMillis": 500}}
        written["extension"]["parametersTimeoutMillis"] = 500
    return written if name == "silent" else {**written, "event": str(folder / "event.json")}


def deployed_with(folder: Path, *names: str) -> Iterator[Deployment]:
    (folder / "event.json").write_text('{"number": 7}')
    rotation = {"strategy": "random", "everyDays": 7, "overlapHours": 1}
    changed = stack(
        "dev",
        function={},
        functions={name: function(folder, name) for name in names},
        secrets={
            "database": {"fields": {"host": "h", "dbname": "d"}, "generate": {"password": {}}},
            "session": {"generate": {"key": {"length": 64}}, "rotation": rotation},
        },
        parameters={
            "plain": {"value": "v"},
            "secure": {"type": "SecureString", "generate": {"length": 40}},
        },
    )
    with deployment.running(changed) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def all_kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    yield from deployed_with(tmp_path_factory.mktemp("functions"), *BODIES)


@pytest.fixture(scope="module")
def outcomes(all_kinds: Deployment) -> dict[str, CheckResult]:
    return {each.promise: each for each in checks.run(all_kinds)}


def lines(outcome: CheckResult) -> dict[str, str]:
    """Read the lines of details: mark and names -> text."""
    read = (line.partition(": ") for line in outcome.figure.splitlines()[1:])
    return {about: text for about, _, text in read}


def test_each_functions_answer_is_judged_and_no_other_check_ends(
    outcomes: dict[str, CheckResult],
) -> None:
    assert tuple(outcomes) == checks.PROMISES
    found = outcomes[ANSWERS]
    assert found.passed is False
    assert found.figure.startswith("5 of 9 functions failed\n")
    about = lines(found)
    assert "Task timed out" in about.pop("✗ slow")
    assert about.pop("– foreign").startswith("java21 functions are deployed, not invoked: ")
    assert about == {
        "✗ leaky": "the response contains a secret value",
        "✗ loud": "the function raised an error that contains a secret value",
        "✗ raising": "the function raised ValueError: 7",
        "✗ unlike": "body.number must be 8, got 7",
        "✓ good": "65 bytes",
        "✓ large": "9 bytes",
        "– silent": "no `event` in its config",
    }


def test_time_and_memory_are_held_against_the_functions_own(
    outcomes: dict[str, CheckResult],
) -> None:
    about = lines(outcomes[LATENCY])
    assert about.pop("✗ slow") == "the function timed out after 1 s"
    large = about.pop("✗ large")
    assert large.startswith("the function used ")
    assert large.endswith(" MB of 128 MB")
    assert int(large.split()[3]) > 200
    assert about["✓ good"].endswith(" MB of 128 MB")
    assert ", of 30 s; " in about["✓ good"]
    assert about["– foreign, silent"] == "the function was not called"


def test_each_role_reads_its_own_secrets_and_parameters(outcomes: dict[str, CheckResult]) -> None:
    found = outcomes[OWN]
    assert (found.passed, found.figure.splitlines()[0]) == (True, "9 of 9 functions")
    assert lines(found) == {f"✓ {', '.join(sorted(BODIES))}": "2 read, 3 denied"}
    assert outcomes[AGREES].passed is True


def test_what_a_function_raises_is_found_in_its_log(outcomes: dict[str, CheckResult]) -> None:
    assert outcomes[LOGS].figure == "a log line contains a secret value"


def test_functions_that_answer_well_go_on_while_secrets_rotate(
    outcomes: dict[str, CheckResult],
) -> None:
    found = outcomes[ROTATES]
    assert found.passed is True
    assert found.figure.startswith("1 rotated, ")
    assert found.figure.endswith(", 0 failed")


def test_every_function_that_can_run_is_called_under_traffic(all_kinds: Deployment) -> None:
    # Those that raise, too: what they raise are failures of the traffic.
    assert len(callers(all_kinds, 2)) == len(BODIES) - len(["foreign", "silent"])


def test_a_stack_whose_functions_are_not_called_breaks_no_promise(tmp_path: Path) -> None:
    silent = {**function(tmp_path, "silent"), "secrets": ["partner"], "parameters": []}
    secrets = {"partner": {"from": "external"}}
    with deployment.running(
        stack("dev", function={}, functions={"silent": silent}, secrets=secrets)
    ) as made:
        outcomes = {each.promise: each for each in checks.run(made)}
    assert [each for each in outcomes.values() if each.passed is False] == []
    assert (outcomes[LOGS].passed, outcomes[LOGS].figure) == (None, "no function was called")


def test_no_more_requests_are_made_at_once_than_a_function_keeps(all_kinds: Deployment) -> None:
    good = all_kinds.functions["good"]
    own = good.config.settings.model_copy(update={"reserved_concurrency": 1})
    narrow = replace(good, config=replace(good.config, settings=own))
    assert [len(callers_of([each], 4)) for each in (good, narrow)] == [4, 1]


def test_a_function_without_its_alias_is_one_failed_check(all_kinds: Deployment) -> None:
    good = all_kinds.functions["good"].outputs
    gone = {"good": {**good, "alias_arn": f"{good['arn']}:gone"}}
    record = replace(all_kinds.record, outputs={**all_kinds.record.outputs, "functions": gone})
    outcomes = checks.run(replace(all_kinds, record=record))
    first = next(outcomes)
    assert (first.promise, first.passed) == (ANSWERS, False)
    assert "ResourceNotFoundException" in first.figure
    assert next(outcomes).passed


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "action",
    [
        "secretsmanager:GetSecretValue",
        pytest.param("ssm:GetParameter", marks=pytest.mark.exhaustive),
    ],
)
def test_a_role_that_reads_too_much_is_found_out(all_kinds: Deployment, action: str) -> None:
    role = all_kinds.functions["good"].outputs["role_arn"].rpartition("/")[2]
    iam = all_kinds.client("iam")
    statement = {"Effect": "Allow", "Action": [action, "kms:Decrypt"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="too-much", PolicyDocument=document)
    try:
        outcomes = {each.promise: each for each in checks.run(all_kinds)}
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="too-much")
    about = lines(outcomes[OWN])
    assert f"on {action}, got: read" in about["✗ good"]
    assert [each for each in about if each.startswith("✗")] == ["✗ good"]
