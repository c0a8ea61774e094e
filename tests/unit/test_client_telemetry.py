"""The metrics of the retrieval client."""

import json
import threading
import time
from typing import Any

import pytest

from secret_client import AccessDenied, SecretClient, Unavailable, loading
from tests import scripted
from tests.scripted import CANARY, Aws, Clock, Server
from tests.unit.client_support import BROKEN, DOWN, REPLICAS, threads, wait_until


def test_telemetry_is_off_by_default(
    extension: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    SecretClient().get_secret("s")
    assert extension.requests
    assert capsys.readouterr() == ("", "")


def test_telemetry_counts_in_lines_that_cloudwatch_takes(
    monkeypatch: pytest.MonkeyPatch,
    extension: Server,
    aws: Aws,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SECRETS_TELEMETRY", "True")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "reader")
    client = SecretClient(make_client=aws.client, replica_regions=REPLICAS)
    for _ in range(4):
        client.get_secret("s")
    extension.script(BROKEN)
    clock.move(120)
    aws.script(DOWN)
    client.get_secret("s")
    with pytest.raises(Unavailable):
        client.get_secret("other")
    aws.script(scripted.by_region(eu_central_1=DOWN, eu_west_1=scripted.aws_secret()))
    clock.move(31)
    client.get_secret("s")

    printed = capsys.readouterr().out
    assert CANARY not in printed
    lines = [emf(line) for line in printed.splitlines()]
    names = ("Hits", "Misses", "Stale", "Failovers", "Errors", "Name", "Source")
    assert [tuple(line[name] for name in names) for line in lines] == [
        (0, 1, 0, 0, 0, "s", "extension"),
        (3, 0, 1, 0, 0, "s", "extension"),
        (0, 0, 0, 0, 1, "other", "none"),
        (0, 1, 0, 1, 0, "s", "replica:eu-west-1"),
    ]
    assert [line["FunctionName"] for line in lines] == ["reader"] * 4
    assert ["Age" in line for line in lines] == [False, True, False, False]
    assert 120 <= lines[1]["Age"] < 180
    assert "Reason" not in lines[0] | lines[3]
    assert lines[1]["Reason"].startswith(
        "s: the extension failed: status 400; the extension's line"
    )
    assert lines[2]["Reason"].startswith("other: the extension failed")
    assert all(0 <= line["Duration"] < 60_000 for line in lines)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, aws: Aws, extension: Server) -> SecretClient:
    monkeypatch.setenv("SECRETS_TELEMETRY", "true")
    assert extension
    return SecretClient(make_client=aws.client, timeout_seconds=60)


def counted(capsys: pytest.CaptureFixture[str]) -> list[tuple[int, ...]]:
    lines = [emf(line) for line in capsys.readouterr().out.splitlines()]
    return [tuple(line[name] for name in ("Hits", "Misses", "Stale", "Errors")) for line in lines]


def test_hits_of_parameters_are_counted_too(
    measured: SecretClient, extension: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    extension.script(scripted.parameter())
    for name in ("/p", "/p", "/p", "/q"):
        measured.get_parameter(name)
    assert counted(capsys) == [(0, 1, 0, 0), (2, 1, 0, 0)]


def test_stale_answers_between_two_askings_are_counted_as_stale(
    measured: SecretClient,
    extension: Server,
    aws: Aws,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured.get_secret("s")
    extension.script(BROKEN)
    aws.script(DOWN)
    clock.move(120)
    for _ in range(3):
        measured.get_secret("s")
    assert len(extension.requests) == 1
    assert counted(capsys) == [(0, 1, 0, 0), *[(0, 0, 1, 0)] * 3]


@pytest.mark.parametrize("found", [True, False])
def test_those_who_wait_are_counted(  # noqa: PLR0913 (pytest's fixtures)
    measured: SecretClient,
    extension: Server,
    aws: Aws,
    waiting: list[float],
    capsys: pytest.CaptureFixture[str],
    *,
    found: bool,
) -> None:
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret() if found else BROKEN))
    aws.script(scripted.aws_error("AccessDeniedException"))
    with threads(5, lambda: measured.get_secret("s")):
        wait_until(lambda: len(waiting) == 4)
        gate.set()
    assert counted(capsys) == [(0, 1, 0, 0) if found else (0, 0, 0, 1)] * 5


def test_those_who_get_the_old_value_while_another_asks_are_hits(
    monkeypatch: pytest.MonkeyPatch,
    measured: SecretClient,
    extension: Server,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(loading, "_STALE_SECONDS", 60)
    measured.get_secret("s")
    clock.move(120)
    gate = threading.Event()
    extension.script(scripted.gated(gate, scripted.secret()))
    with threads(5, lambda: measured.get_secret("s")) as ran:
        try:
            wait_until(lambda: len(ran.outcomes) == 4)
        finally:
            gate.set()
    assert counted(capsys) == [(0, 1, 0, 0), (4, 1, 0, 0)]


def test_a_log_that_is_gone_loses_no_value(
    monkeypatch: pytest.MonkeyPatch, measured: SecretClient, extension: Server, aws: Aws
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", closed)
    assert measured.get_secret("s").text == CANARY
    extension.script(BROKEN)
    aws.script(scripted.aws_error("AccessDeniedException"))
    with pytest.raises(AccessDenied):
        measured.get_secret("other")


def emf(line: str) -> dict[str, Any]:
    """Read a line as CloudWatch does; see the specification that the client names."""
    found: dict[str, Any] = json.loads(line)
    described = found["_aws"]
    assert abs(described["Timestamp"] - time.time() * 1000) < 60_000
    (directive,) = described["CloudWatchMetrics"]
    assert directive["Namespace"] == "LambdaSecrets"
    for dimension in directive["Dimensions"]:
        assert all(isinstance(found[name], str) for name in dimension)
    for metric in directive["Metrics"]:
        assert isinstance(found[metric["Name"]], int | float)
        assert metric["Unit"] in {"Count", "Milliseconds", "Seconds"}
    return found
