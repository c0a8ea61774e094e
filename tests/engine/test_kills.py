"""The engine is killed at random moments; the documented recovery loses nothing.

A failure prints the seed of its moments: `SEED=… pytest …` has them again.
"""

import contextlib
import os
import random
import re
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import CommandError, Stack, commands, refusal
from tests.engine.test_documented import documented, run
from tests.engine.test_recovery import ALIAS, LOG_GROUP, PARAMETER, SECRET, restore
from tests.recording import ROOT

pytestmark = [pytest.mark.exhaustive, needs_cli]

KILLS = 10
GENERATED: dict[str, Any] = {"generate": {"password": {}}}
SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))


def kill(
    stack: Stack, command: str, seconds: float, until: Callable[[], bool] = lambda: False
) -> bool:
    """Run a command of Pulumi and kill it after that time, or as soon as `until` is true.

    Returns:
        Whether it was running.

    """
    with ThreadPoolExecutor() as pool:
        (stack.work / "pid").unlink(missing_ok=True)
        done = pool.submit(stack.run, f"echo $$ > pid; exec pulumi {command} --skip-preview")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not done.done() and not until():
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):
            os.kill(int((stack.work / "pid").read_text()), signal.SIGKILL)
        try:
            done.result()
        except CommandError:
            return True
        return False


def repair(stack: Stack) -> None:
    """Restore the state's file if the kill cut it off."""
    try:
        stack.run("pulumi stack export > /dev/null")
    except CommandError as error:
        if "failed to load checkpoint" not in str(error):
            raise
        restore(stack)


def recover(stack: Stack) -> None:
    """Do what docs/operations.md says after a kill of `pulumi up`."""
    unlock, delete, deploy, _, _ = documented("An interrupted deployment")
    secret, parameter, alias, logs, _ = delete.splitlines()
    lines = {ALIAS: alias, LOG_GROUP: logs, PARAMETER: parameter, SECRET: secret}
    cancel, up = unlock.splitlines()
    with contextlib.suppress(CommandError):  # it was killed before it locked the stack
        run(stack, cancel)
    for _ in range(3):
        try:
            run(stack, up)
        except CommandError as error:
            told = str(error)
            if advised := commands(told):
                stack.run(advised[0])  # the import of a parameter
                continue
            assert "exists" in told, told
            for urn in set(re.findall(r"(urn:pulumi:\S+), interrupted while creating", told)):
                type_, name = urn.split("::")[2].rsplit("$", 1)[-1], urn.split("::")[3]
                if type_ in lines:
                    own = re.sub(r"^parameters-|-secret$|-logs$", "", name)
                    with contextlib.suppress(CommandError):  # it was not made
                        run(stack, lines[type_].replace("NAME", own))
        else:
            break
    run(stack, deploy)


def values(stack: Stack, count: int) -> list[str | None]:
    return [stack.text(f"s{number}") for number in range(count)]


def configure(stack: Stack, count: int) -> None:
    """Configure that many secrets and parameters, and another memory size each time."""
    names = range(count)
    stack.write(
        {},
        secrets={f"s{number}": GENERATED for number in names},
        parameters={f"p{number}": {"value": "text"} for number in names},
        functions={
            "reader": {
                "code": str(ROOT / "handler/app.py"),
                "handler": "app.lambda_handler",
                "secrets": ["database"],
                "memoryMb": 128 + count,
            }
        },
        recoveryWindowDays=0,
    )


def test_nothing_is_lost_when_up_is_killed_at_any_moment(stack: Stack) -> None:
    moments = random.Random(SEED)  # noqa: S311 (no secret)
    configure(stack, 0)
    start = time.monotonic()
    stack.up()
    longest, killed = time.monotonic() - start, 0
    for count in range(1, KILLS + 1):
        before = values(stack, count - 1)
        configure(stack, count)
        killed += kill(stack, "up", moments.uniform(0, longest))
        repair(stack)
        recover(stack)
        after = values(stack, count)
        assert after[:-1] == before, SEED
        assert after[-1], SEED
        assert "interrupted" not in stack.run("pulumi preview --expect-no-changes")
    assert killed > KILLS / 2, SEED


def test_a_destroy_that_is_killed_at_any_moment_goes_on(stack: Stack) -> None:
    *_, leftovers, destroy = documented("An interrupted deployment")
    moments = random.Random(SEED)  # noqa: S311 (no secret)
    configure(stack, 2)
    stack.up()
    start = time.monotonic()
    stack.run("pulumi destroy --skip-preview")
    longest, killed = time.monotonic() - start, 0
    for _ in range(KILLS):
        stack.up()
        killed += kill(stack, "destroy", moments.uniform(0, longest))
        repair(stack)
        run(stack, destroy)
        assert stack.urns() == set(), SEED
    assert killed > KILLS / 2, SEED
    look, _ = leftovers.splitlines()
    assert {line.split()[1] for line in run(stack, look).splitlines()} <= {"(is"}  # keys


def test_a_kill_leaves_the_stack_locked(stack: Stack) -> None:
    """The control: what the recovery is for is there."""
    configure(stack, 1)
    locks = stack.state_file.parents[2] / "locks"
    assert kill(stack, "up", 30, lambda: any(locks.rglob("*.json")))
    assert "the stack is currently locked" in refusal(stack.up)
