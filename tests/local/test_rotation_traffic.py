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
from local.clients import logging_in, signing
from local.deployment import Deployment
from secret_client import SecretClient, SecretNotFound, Value
from tests.recording import ROOT

ROTATIONS, CALLERS, LOGINS = 20, 6, 2


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


def none_is_logged(deployed: Deployment, values: list[dict[str, Any]]) -> bool:
    logged = [*deployed.log_lines(), deployed.server.log() if deployed.server else ""]
    return not any(value["password"] in "\n".join(logged) for value in values)


def test_no_request_fails_in_twenty_rotations_of_a_database_user(
    deployed: tuple[str, Deployment],
) -> None:
    strategy, made = deployed
    values = [value_of(made)]
    others = [logging_in(made, "database") for _ in range(LOGINS)]
    for rotations in (ROTATIONS - 1, 1):
        done = soaking.soak(made, "database", rotations, CALLERS, *others)
        assert done.failures == {}
        assert len(done.rotation_seconds) == rotations
        assert done.requests > rotations * (CALLERS + LOGINS)
        values.append(value_of(made))
    _, before, now = values
    assert logs_in(made, now)
    # The one user's password is gone; of two users it is still the other's, who alternates.
    assert logs_in(made, before) is (strategy == "alternatingUsers")
    assert not logs_in(made, values[0])
    assert (before["username"] == now["username"]) is (strategy == "singleUser")
    assert none_is_logged(made, values)


def test_no_request_fails_in_twenty_rotations_of_generated_text() -> None:
    with deployment.running(soaking.stack(ROOT, "random")) as made:
        values = [value_of(made)]
        others = [signing(made, "database", "password") for _ in range(LOGINS)]
        done = soaking.soak(made, "database", ROTATIONS, CALLERS, *others)
        assert done.failures == {}
        assert len(done.rotation_seconds) == ROTATIONS
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


@pytest.mark.parametrize("client", [WithoutRefresh, WithoutPending])
def test_without_a_part_of_the_clients_way_logins_fail(client: type[SecretClient]) -> None:
    with deployment.running(soaking.stack(ROOT, "singleUser")) as made:
        others = [logging_in(made, "database", client) for _ in range(4)]
        done = soaking.soak(made, "database", 6, 1, *others)
        assert set(done.failures) == {"ConnectionFailed"}


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
