"""A stack with the section `function` moves it to `functions`, and keeps its resources."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from local.engines.pulumi_cli import Cli
from tests.engine.test_releases import ARCHIVES
from tests.engine.upgrade import account, functions, plan, release
from tests.engine.upgrade.test_changes import stack_file
from tests.recording import PROJECT

APP: dict[str, Any] = {
    "code": "handler/app.py",
    "handler": "app.lambda_handler",
    "secrets": ["database", "session"],
    "tracing": False,
    "logRetentionDays": 7,
}
MOVES = {
    "under its name": {"reader": APP},
    "under another name": {"orders": {**APP, "replaces": "function"}},
    "with a second one": {
        "orders": {**APP, "replaces": "function"},
        "mail": APP,
    },
}
KEPT = ("function_name", "function_arn", "function_alias_arn", "role_arn", "log_group_name")


@pytest.mark.exhaustive
@pytest.mark.parametrize("move", MOVES)
def test_a_function_that_moves_keeps_role_log_group_and_alias(
    move: str, pulumi: Cli, tmp_path: Path
) -> None:
    with release.deployed(pulumi, ARCHIVES[-1], "dev", tmp_path) as before:
        engine = release.engine_of(before)
        release.take_over(before)
        engine.up()
        values, holders = account.values(before), account.holders(before)

        path = stack_file(before)
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
        del written["config"][f"{PROJECT}:function"]
        written["config"][f"{PROJECT}:functions"] = MOVES[move]
        path.write_text(yaml.safe_dump(written), encoding="utf-8")
        planned = engine.preview()
        assert plan.losses(planned) == []
        made = {step.urn for step in planned if step.operation not in ("same", "update")}
        assert all("mail" in urn for urn in made)
        assert bool(made) == (move == "with a second one")

        engine.up()
        after = release.as_it_is(before)
        assert {key: after.outputs[key] for key in KEPT} == {
            key: before.outputs[key] for key in KEPT
        }
        assert account.differing(values, account.values(after)) == []
        assert account.holders(after) >= holders
        assert engine.up() == []
        assert functions.answering(after) == functions.there_are(after)
