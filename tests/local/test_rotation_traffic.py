"""No request fails while a secret is rotated again and again; without the refresh, some do."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import postgres
from local import checks, deployment
from local import soak as soaking
from local.deployment import Deployment
from tests.recording import ROOT

ROTATIONS, CALLERS = 20, 8


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


@pytest.fixture(params=["singleUser", "alternatingUsers"])
def deployed(request: pytest.FixtureRequest) -> Iterator[tuple[str, Deployment]]:
    with deployment.running(soaking.stack(ROOT, request.param)) as made:
        yield request.param, made


def test_no_request_fails_in_twenty_rotations_of_a_database_user(
    deployed: tuple[str, Deployment],
) -> None:
    strategy, made = deployed
    values = [value_of(made)]
    for rotations in (ROTATIONS - 1, 1):
        done = soaking.soak(made, "database", rotations, CALLERS)
        assert done.failures == {}
        assert len(done.rotation_seconds) == rotations
        assert done.requests > rotations * CALLERS
        values.append(value_of(made))
    _, before, now = values
    assert logs_in(made, now)
    # The one user's password is gone; of two users it is still the other's, who alternates.
    assert logs_in(made, before) is (strategy == "alternatingUsers")
    assert not logs_in(made, values[0])
    assert (before["username"] == now["username"]) is (strategy == "singleUser")
    assert made.server is not None
    logged = "\n".join([*made.log_lines(), made.server.log()])
    assert not [value for value in values if value["password"] in logged]


def test_no_request_fails_in_twenty_rotations_of_generated_text() -> None:
    with deployment.running(soaking.stack(ROOT, "random")) as made:
        first = value_of(made)
        done = soaking.soak(made, "database", ROTATIONS, CALLERS)
        assert done.failures == {}
        assert len(done.rotation_seconds) == ROTATIONS
        assert value_of(made)["key"] != first["key"]


def test_without_the_refresh_requests_fail(tmp_path: Path) -> None:
    shutil.copy(ROOT / "__main__.py", tmp_path)
    shutil.copytree(ROOT / "handler", tmp_path / "handler")
    source = tmp_path / "handler" / "query.py"
    text = source.read_text(encoding="utf-8")
    call = "_secrets.with_fresh_credentials(secret_name, _ask, is_auth_error, context=context)"
    assert call in text
    source.write_text(
        text.replace(call, "_ask(_secrets.get_secret(secret_name, context=context))"),
        encoding="utf-8",
    )
    changed = replace(soaking.stack(ROOT, "singleUser"), program=tmp_path / "__main__.py")
    with deployment.running(changed) as made:
        done = soaking.soak(made, "database", 3, CALLERS)
        assert set(done.failures) == {"the database did not answer"}
        outcomes = {each.promise: each for each in checks.run(made)}
    outcome = outcomes["no request fails while every secret is rotated"]
    assert not outcome.kept
    assert outcome.figure.endswith("by: the database did not answer")
