"""No request fails while a secret is rotated again and again; without the refresh, some do."""

import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import postgres
from infra import own_files
from infra.aws.limits import ROTATION_STRATEGIES
from local import deployment
from local.deployment import Deployment
from local.functions import FunctionError
from local.proofs import checks
from local.proofs import soak as soaking
from local.proofs.clients import logging_in, signing
from local.proofs.traffic import Traffic
from local.proofs.traffic import callers as calling
from secret_client import SecretClient, SecretNotFound, Value
from tests.recording import ROOT

LOGINS = 2
QUERY = {"handler": "query"}

so_often = pytest.mark.parametrize(
    ("rotations", "callers"), [(2, 3), pytest.param(20, 6, marks=pytest.mark.exhaustive)]
)


def value_of(deployed: Deployment) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(
        deployed.secret_text(deployed.outputs["secret_arns"]["database"])
    )
    return value


def logs_in(deployed: Deployment, value: dict[str, Any]) -> bool:
    assert deployed.server is not None
    try:
        postgres.connect(value, ca_bundle=deployed.server.ca_bundle).close()
    except postgres.ConnectionFailed as error:
        if postgres.is_auth_error(error):
            return False
        raise
    return True


@pytest.fixture(
    params=[
        pytest.param(each, marks=[pytest.mark.exhaustive] if each != "alternatingUsers" else [])
        for each in ROTATION_STRATEGIES
        if each != "random"
    ]
)
def deployed(request: pytest.FixtureRequest) -> Iterator[tuple[str, Deployment]]:
    with deployment.running(soaking.stack(ROOT, request.param, function=QUERY)) as made:
        yield request.param, made


def none_is_logged(deployed: Deployment, values: list[dict[str, Any]]) -> bool:
    logged = [*deployed.log_lines(), deployed.server.log() if deployed.server else ""]
    return not any(value["password"] in "\n".join(logged) for value in values)


@so_often
def test_no_request_fails_while_a_database_user_is_rotated_again_and_again(
    deployed: tuple[str, Deployment], rotations: int, callers: int
) -> None:
    strategy, made = deployed
    values = [value_of(made)]
    others = [logging_in(made, "database") for _ in range(LOGINS)]
    for times in (rotations - 1, 1):
        done = soaking.soak(made, "database", times, *calling(made, callers), *others)
        assert (done.cold_starts, done.cold_failures) == (callers + LOGINS, {})
        assert done.failures == {}
        assert len(done.rotation_seconds) == times
        assert done.requests > times * (callers + LOGINS)
        values.append(value_of(made))
    _, before, now = values
    assert logs_in(made, now)
    # The one user's password is gone; of two users it is still the other's, who alternates.
    assert logs_in(made, before) is (strategy == "alternatingUsers")
    assert not logs_in(made, values[0])
    assert (before["username"] == now["username"]) is (strategy == "singleUser")
    assert none_is_logged(made, values)


@so_often
def test_no_request_fails_while_generated_text_is_rotated_again_and_again(
    rotations: int, callers: int
) -> None:
    with deployment.running(soaking.stack(ROOT, "random")) as made:
        values = [value_of(made)]
        others = [signing(made, "database", "password") for _ in range(LOGINS)]
        done = soaking.soak(made, "database", rotations, *calling(made, callers), *others)
        assert (done.cold_starts, done.cold_failures) == (callers + LOGINS, {})
        assert done.failures == {}
        assert len(done.rotation_seconds) == rotations
        values.append(value_of(made))
        assert values[0]["password"] != values[1]["password"]
        assert none_is_logged(made, values)


class WithoutRefresh(SecretClient):
    def with_fresh_credentials(self, secret_id: str, use: Any, *_: Any, **__: Any) -> Any:
        return use(self.get_secret(secret_id))


class WithoutPending(SecretClient):
    def get_secret(self, secret_id: str, **options: Any) -> Value:
        if options.get("version_stage") == "AWSPENDING":
            raise SecretNotFound
        return super().get_secret(secret_id, **options)


@pytest.mark.exhaustive
@pytest.mark.parametrize("client", [WithoutRefresh, WithoutPending])
def test_without_a_part_of_the_clients_way_logins_fail(client: type[SecretClient]) -> None:
    with deployment.running(soaking.stack(ROOT, "singleUser", function=QUERY)) as made:
        others = [logging_in(made, "database", client) for _ in range(4)]
        done = soaking.soak(made, "database", 2, *calling(made, 1), *others)
        assert set(done.failures) == {"ConnectionFailed"}


@pytest.mark.exhaustive
def test_without_the_refresh_requests_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = tmp_path / "handler"
    shutil.copytree(own_files.HANDLER, handler)
    monkeypatch.setattr(own_files, "HANDLER", handler)
    source = handler / "query.py"
    text = source.read_text(encoding="utf-8")
    call = re.compile(r"_secrets\.with_fresh_credentials\(.*?\n        \)\n", re.DOTALL)
    without, changes = call.subn(
        "_ask(_secrets.get_secret(secret_name, context=context), context)\n", text
    )
    assert changes == 1
    source.write_text(without, encoding="utf-8")
    with deployment.running(soaking.stack(ROOT, "singleUser", function=QUERY)) as made:
        outcomes = {each.promise: each for each in checks.run(made)}
        done = soaking.soak(made, "database", 3, *calling(made, 6))
    failed = "the connection to the database failed"
    assert done.failures
    assert all(failed in each for each in done.failures)
    outcome = outcomes["no request fails while every secret rotates"]
    assert outcome.passed is False
    assert f'with: status 500: {{"error": "{failed}"' in outcome.figure


def test_cold_starts_are_over_before_the_first_rotation_and_counted_apart() -> None:
    """A client that fails at first, and one whose first answer is late."""
    late, first = threading.Event(), iter([True])
    answered: list[str] = []

    def failing_at_first() -> dict[str, Any]:
        if next(first, False):
            raise FunctionError("cold")
        late.set()
        return {}

    def late_at_first() -> dict[str, Any]:
        late.wait(60)
        answered.append("late")
        return {}

    nothing = SimpleNamespace(outputs={"secret_arns": {"s": "arn"}}, client=lambda _: None)
    done = soaking.soak(cast("Deployment", nothing), "s", 0, failing_at_first, late_at_first)
    assert answered
    assert (done.cold_starts, done.cold_failures) == (2, {"cold": 1})
    assert (done.failures, done.requests > 0) == ({}, True)


def test_a_caller_without_an_answer_is_not_waited_for_for_ever() -> None:
    ended = threading.Event()

    def waiting() -> dict[str, Any]:
        ended.wait(60)
        return {}

    with Traffic(waiting, dict) as traffic:
        try:
            with pytest.raises(TimeoutError, match="1 of 2 callers got no answer within 0 s"):
                traffic.wait_for_every_caller(seconds=0)
        finally:
            ended.set()
