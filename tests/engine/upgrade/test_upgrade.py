"""A stack of every release under this checkout's program, by Pulumi's engine.

A plan that differs from the recorded one is noticed here: put its lines into plan-VERSION.txt, and
each that is new into CHANGELOG.md, under what `pulumi up` shows.
"""

from collections import Counter
from pathlib import Path

import pytest

from local.engines.pulumi_cli import Cli
from tests.engine.test_releases import ARCHIVES
from tests.engine.upgrade import account, functions, plan, release
from tests.engine.upgrade.pasting import paste
from tests.engine.upgrade.test_changes import pulumi as pulumi_command
from tests.engine.upgrade.test_changes import stack_file
from tests.recording import PROJECT

CASES = [
    pytest.param(
        archive,
        stack,
        id=f"{release.version(archive)}-{stack}",
        marks=[] if (archive, stack) == (ARCHIVES[0], "dev") else pytest.mark.exhaustive,
    )
    for archive in ARCHIVES
    for stack in ("dev", "staging", "prod")
]


@pytest.mark.parametrize(("archive", "stack"), CASES)
def test_an_upgrade_keeps_all_that_holds_data_and_every_value(
    archive: Path, stack: str, pulumi: Cli, tmp_path: Path
) -> None:
    with release.deployed(pulumi, archive, stack, tmp_path) as before:
        release.rotate_each(before)
        engine = release.engine_of(before)
        values, holders = account.values(before), account.holders(before)
        assert len(values) >= len(before.outputs["secret_arns"]) > 1
        assert {"key", "secret", "log group"} <= {each.kind for each in holders}

        release.take_over(before)
        if stack == "prod":  # what CHANGELOG.md says is refused
            refused = pulumi_command(before, "preview", "--stack", stack)
            assert refused.returncode
            paste(stack_file(before), refused.stdout + refused.stderr)
        planned = engine.preview()
        assert plan.losses(planned) == []
        version, lines = release.version(archive), plan.lines(planned)
        assert lines == plan.recorded(version, stack), plan.advice(version, stack, lines)
        assert Counter(engine.up()) == Counter(planned)

        after = release.as_it_is(before)
        assert account.differing(values, account.values(after)) == []
        assert account.holders(after) >= holders
        assert account.missing(before.outputs, after.outputs) == []
        assert engine.up() == []

        assert functions.answering(after) == functions.there_are(after)
        rotated = account.values(after)
        names = {f"{PROJECT}/{stack}/{name}" for name in after.rotating}
        assert account.differing(values, rotated, names) == []

        # What is planted is found, or finding nothing would mean nothing.
        arn = after.outputs["secret_arns"]["session"]
        after.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="planted")
        assert len(account.differing(rotated, account.values(after))) >= 2
        after.client("logs").delete_log_group(logGroupName=after.outputs["log_group_name"])
        assert not account.holders(after) >= holders
