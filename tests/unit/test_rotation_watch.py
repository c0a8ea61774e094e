"""Which secrets the watch holds for overdue, and what it prints."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

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
    """Describes what it was given; anything else is not found."""

    def __init__(self, **described: dict[str, Any]) -> None:
        self.described = described

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 (boto3's)
        if SecretId not in self.described:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": "not there"}}
            raise ClientError(error, "DescribeSecret")  # type: ignore[arg-type]
        return self.described[SecretId]


def overdue(monkeypatch: pytest.MonkeyPatch, **described: dict[str, Any]) -> list[str]:
    monkeypatch.setenv("SECRETS", "a,b")
    monkeypatch.setattr("boto3.client", lambda _: Secrets(**described))
    return rotation_watch.lambda_handler({}, CONTEXT)["overdue"]


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
