"""The first region fails: requests go on, and come back; without replicas they fail."""

import io
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from local import deployment
from local.config.project import ProjectError
from local.deployment import Deployment
from local.proofs import gameday
from local.proofs import soak as soaking
from local.proofs.traffic import Request
from tests.recording import PROJECT, ROOT, stack

HOME, AWAY = "us-east-1", "us-west-2"
CALLERS = 4
QUERY = {"handler": "query"}


@pytest.fixture
def deployed() -> Iterator[Deployment]:
    planned = soaking.stack(ROOT, "singleUser", function=QUERY, replicaRegions=[AWAY])
    with deployment.running(gameday.with_short_caches(planned)) as made:
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a day on which nothing comes right a short one."""
    monkeypatch.setattr(gameday, "_STALENESS_SECONDS", 2)
    monkeypatch.setattr(gameday, "_PATIENCE_SECONDS", 6)


def play(made: Deployment) -> tuple[int, str]:
    shown = io.StringIO()
    code = gameday.run(made, Console(file=shown, width=200), CALLERS)
    return code, shown.getvalue()


def test_no_request_fails_once_the_outage_was_met_and_all_come_back(deployed: Deployment) -> None:
    code, shown = play(deployed)
    assert code == 0, shown
    rows = [line for line in shown.splitlines() if line.startswith("│")]
    assert [row.rsplit("│", 2)[1].strip() for row in rows] == ["✓"] * 4
    for row, source in zip(rows, ("extension", AWAY, AWAY, "extension"), strict=True):
        assert source in row
    assert " 0 after;" in shown
    # As it was: the replica is one again, of what was written when the region was back.
    name = deployed.functions["reader"].environment["SECRET_NAME"]
    (status,) = deployed.client("secretsmanager").describe_secret(SecretId=name)[
        "ReplicationStatus"
    ]
    assert (status["Region"], status["Status"]) == (AWAY, "InSync")
    away = deployed.aws.client("secretsmanager", AWAY)
    assert away.get_secret_value(SecretId=name)["SecretString"] == deployed.secret_text(name)


@pytest.mark.exhaustive
@pytest.mark.usefixtures("impatient")
def test_a_function_that_knows_no_replica_fails(deployed: Deployment) -> None:
    functions, name = deployed.client("lambda"), deployed.outputs["function_name"]
    without = {**deployed.functions["reader"].environment, "SECRETS_REPLICA_REGIONS": ""}
    functions.update_function_configuration(
        FunctionName=name,
        Environment={"Variables": without},
        Timeout=4,  # with more, the client outlasts the outage
    )
    functions.get_waiter("function_updated_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.02}
    )
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    code, shown = play(deployed)
    assert code == 1
    assert "the secret could not be read" in shown


def test_a_stack_without_replicas_has_no_gameday() -> None:
    with pytest.raises(
        ProjectError, match="no secret in the stack dev has a replica; add a region to"
    ):
        gameday.with_short_caches(stack("dev", replicaRegions=[]))


def test_caches_expire_within_seconds_on_a_gameday() -> None:
    shortened = gameday.with_short_caches(stack("dev", replicaRegions=[AWAY]))
    assert int(shortened.config[f"{PROJECT}:maxStalenessSeconds"]) < 10


def request(start: float, end: float, source: str, failure: str = "") -> Request:
    body: dict[str, Any] = {} if failure else {"source": source}
    return Request(0, start, end, failure, body)


@pytest.mark.parametrize(
    ("failures", "shown_in_the_end", "code"),
    [
        ([], "✓", 0),
        ([], "✗", 1),
        # Started before the first request had met the outage: nobody could know.
        ([request(1, 8, "", "late")], "✓", 0),
        ([request(5.1, 8, "", "since")], "✓", 1),
    ],
)
def test_a_failure_counts_once_one_request_has_met_the_outage(
    failures: list[Request], shown_in_the_end: str, code: int
) -> None:
    log = [request(0, 1, "extension"), request(2, 5, "replica:us-west-2"), *failures]
    game_day = gameday.GameDay(SimpleNamespace(log=log, requests=len(log)), 1)  # type: ignore[arg-type]
    outage = gameday.Phase("", 1, 1.5, lambda each: "replica" in str(each.body), len(log))
    outage.reached = shown_in_the_end == "✓"
    game_day.phases.append(outage)
    shown = io.StringIO()
    assert gameday.verdict(game_day, outage, Console(file=shown, width=200)) == code
    assert "after 3.5 s" in shown.getvalue()
    assert outage.row(log)[-1] == shown_in_the_end
