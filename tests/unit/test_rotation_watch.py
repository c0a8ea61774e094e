"""Which secrets the watch holds for overdue, which replicas for broken, and what it prints."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

import rotation_watch

NOW = datetime.now(UTC)
DUE = {
    "RotationEnabled": True,
    "CreatedDate": NOW - timedelta(days=90),
    "LastRotatedDate": NOW - timedelta(days=2),
    "NextRotationDate": NOW + timedelta(days=28),
}
CONTEXT = SimpleNamespace(function_name="watch")


class Secrets:
    """Describes what it was given, nothing in time; anything else is not found."""

    def __init__(self, **described: dict[str, Any]) -> None:
        self.described = described

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        if SecretId not in self.described:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "not there"}}
            raise ClientError(error, "DescribeSecret")  # type: ignore[arg-type]
        if not self.described[SecretId]:
            raise ReadTimeoutError(endpoint_url="https://secretsmanager")
        return self.described[SecretId]


def watch(
    monkeypatch: pytest.MonkeyPatch, rotating: str, regions: str, **described: dict[str, Any]
) -> dict[str, list[str]]:
    watched = {
        "secrets": ["a", "b"],
        "rotating": [each for each in rotating.split(",") if each],
        "replicaRegions": [each for each in regions.split(",") if each],
    }
    content = SimpleNamespace(read_text=lambda **_: json.dumps(watched))
    monkeypatch.setattr(rotation_watch, "_WATCHED", content)
    monkeypatch.setattr("boto3.client", lambda _, **__: Secrets(**described))
    return rotation_watch.lambda_handler({}, CONTEXT)


def overdue(monkeypatch: pytest.MonkeyPatch, **described: dict[str, Any]) -> list[str]:
    return watch(monkeypatch, "a,b", "", **described)["overdue"]


def replicated(**statuses: str) -> dict[str, Any]:
    """Describe a secret that does not rotate, and its replicas."""
    found = [{"Region": region, "Status": status} for region, status in statuses.items()]
    return {"CreatedDate": NOW, "ReplicationStatus": found}


def test_a_secret_is_overdue_when_its_date_is_past_or_it_does_not_rotate_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never = {**DUE, "LastRotatedDate": None}
    past = {**DUE, "NextRotationDate": NOW - timedelta(seconds=1)}
    off = {**DUE, "RotationEnabled": False}
    undated = {key: value for key, value in DUE.items() if key != "NextRotationDate"}
    deleted = {**off, "DeletedDate": NOW}
    assert overdue(monkeypatch, a=DUE, b=never) == []
    assert overdue(monkeypatch, a=past, b=DUE) == ["a"]
    assert overdue(monkeypatch, a=off, b=undated) == ["a", "b"]
    assert overdue(monkeypatch, a=deleted, b=DUE) == ["a"]


def test_a_secret_that_cannot_be_described_is_overdue_and_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    past = {**DUE, "NextRotationDate": NOW - timedelta(days=1)}
    assert overdue(monkeypatch, b=past) == ["a", "b"]
    assert "a cannot be described" in capsys.readouterr().out


def test_a_secret_that_nobody_answers_for_in_time_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = watch(monkeypatch, "a,b", "here", a={}, b={**DUE, **replicated(here="Failed")})
    assert found == {"overdue": ["a"], "broken": ["a in here", "b in here"]}
    printed = capsys.readouterr().out
    assert "a cannot be described: Read timeout" in printed
    assert '"RotationOverdue": 1' in printed


def test_a_secret_that_nobody_answers_for_leaves_time_for_the_others() -> None:
    config: Any = rotation_watch._CONFIG  # noqa: SLF001 (what the function asks with)
    attempts = config.retries["total_max_attempts"]
    assert (config.connect_timeout + config.read_timeout) * attempts < 60 / 3


def test_it_prints_how_many_are_overdue_and_how_old_each_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    overdue(monkeypatch, a=DUE, b=DUE)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    ages = {line["SecretName"]: line["SecretAge"] for line in lines if "SecretAge" in line}
    assert ages == {"a": pytest.approx(2, abs=0.01), "b": pytest.approx(2, abs=0.01)}
    (number,) = [line for line in lines if "RotationOverdue" in line]
    assert number["RotationOverdue"] == 0
    assert number["FunctionName"] == "watch"
    (directive,) = number["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "LambdaSecrets",
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": "RotationOverdue", "Unit": "Count"}],
    }


def test_a_replica_is_broken_when_it_failed_or_is_not_there_also_of_a_secret_that_does_not_rotate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(a: dict[str, Any]) -> list[str]:
        whole = replicated(here="InSync", there="InSync")
        found = watch(monkeypatch, "", "here,there", a=a, b=whole)
        assert found["overdue"] == []
        return found["broken"]

    assert broken(replicated(here="InSync", there="InProgress")) == []
    assert broken(replicated(here="InSync", there="Failed")) == ["a in there"]
    assert broken(replicated(there="InSync")) == ["a in here"]
    assert broken({"CreatedDate": NOW}) == ["a in here", "a in there"]
    assert broken(replicated(here="InSync", there="InSync", more="Failed")) == ["a in more"]


def test_the_replicas_of_a_secret_that_cannot_be_described_are_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = watch(monkeypatch, "a", "here", b=replicated(here="InSync"))
    assert found == {"overdue": ["a"], "broken": ["a in here"]}


def test_it_prints_why_a_replica_is_broken_and_how_many_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = replicated(here="Failed")
    failed["ReplicationStatus"][0]["StatusMessage"] = "such a name is there"
    watch(monkeypatch, "", "here", a=failed, b={"CreatedDate": NOW})
    first, second, last = capsys.readouterr().out.splitlines()
    assert first == "a in here is broken: such a name is there"
    assert second == "b in here is broken: it is missing"
    number = json.loads(last)
    assert number["ReplicasBroken"] == 2
    assert number["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["FunctionName"]]


def test_what_is_not_watched_is_no_metric(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = {**DUE, **replicated(here="InSync")}
    watch(monkeypatch, "", "here", a=whole, b=whole)
    assert "RotationOverdue" not in capsys.readouterr().out
    watch(monkeypatch, "a,b", "", a=whole, b=whole)
    assert "ReplicasBroken" not in capsys.readouterr().out
