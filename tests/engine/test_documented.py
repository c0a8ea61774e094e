"""The commands of docs/operations.md for secrets, run as they stand there.

Only the names of the stack and of its path are put in.
"""

import re
import sys
from typing import Any

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import CANARY, Stack, advice, refusal
from tests.recording import EXEMPTION, ROOT

pytestmark = [pytest.mark.exhaustive, needs_cli]

EXTERNAL = {"from": "external"}
CONFIG = {"from": "config"}
GENERATE: dict[str, Any] = {"generate": {"password": {}}}


def documented(section: str) -> list[str]:
    """Find the command lines of a section, block by block."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^## {section}\n(.*?)^##? ", text, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^```console\n(.*?)^```", found, re.MULTILINE | re.DOTALL)
    return [
        "\n".join(re.findall(r"^\$ (.*(?:\n    .*)*)", block, re.MULTILINE)) for block in blocks
    ]


def run(stack: Stack, lines: str) -> str:
    """Run command lines as of this stack; return their output."""
    lines = re.sub(r"\bprod\b", stack.name, lines)
    lines = lines.replace(".venv/bin/python -m ops", f"PYTHONPATH={ROOT} {sys.executable} -m ops")
    path = stack.prefix.rstrip("/")
    return stack.run(f"set -e\nS={path}\nE={path.replace('/', '-')}\n{lines}")


def delete(stack: Stack, name: str) -> None:
    stack.secrets.delete_secret(SecretId=stack.prefix + name, RecoveryWindowInDays=7)


@pytest.mark.parametrize("source", [EXTERNAL, GENERATE, CONFIG])
def test_a_secret_that_a_refresh_dropped_before_it_was_restored_is_imported(
    stack: Stack, source: dict[str, object]
) -> None:
    restore, bring_back = documented("Restore a deleted secret")
    values = {"partner": CANARY} if source == CONFIG else {}
    stack.write(values, secrets={"partner": source})
    stack.up()
    text = stack.text("partner") or (stack.put(CANARY, "partner") and CANARY)
    delete(stack, "partner")
    stack.run("pulumi refresh")
    assert "partner" in refusal(stack.up)
    run(stack, restore)
    if source == CONFIG:
        run(stack, bring_back.rpartition("\n")[0])
        for line in advice(stack)[1:]:  # the config has the value
            stack.run(line)
    else:
        run(stack, bring_back)
    assert stack.text("partner") == text
    stack.run("pulumi preview --expect-no-changes")


def test_a_secret_that_was_removed_and_is_back_in_the_config_is_imported(stack: Stack) -> None:
    restore, bring_back = documented("Restore a deleted secret")
    stack.write({}, secrets={"partner": EXTERNAL})
    stack.up()
    stack.put(CANARY, "partner")
    stack.write({}, exemptions={"protect.partner": EXEMPTION})
    stack.up()
    assert stack.text("partner") is None
    stack.write({}, secrets={"partner": EXTERNAL})
    run(stack, restore)
    run(stack, bring_back)
    assert stack.text("partner") == CANARY
    stack.run("pulumi preview --expect-no-changes")


def test_a_secret_that_is_restored_before_a_refresh_needs_no_more(stack: Stack) -> None:
    restore, _ = documented("Restore a deleted secret")
    stack.write({}, secrets={"partner": EXTERNAL})
    stack.up()
    stack.put(CANARY, "partner")
    delete(stack, "partner")
    run(stack, restore)
    stack.run("pulumi up --refresh --skip-preview")
    assert stack.text("partner") == CANARY


@pytest.mark.parametrize("source", [EXTERNAL, GENERATE])
def test_another_name_takes_the_value_along(stack: Stack, source: dict[str, object]) -> None:
    ask, carry = documented("Remove or rename")
    secure = {"type": "SecureString", "from": "external" if source == EXTERNAL else "generate"}
    stack.write({}, secrets={"old": source}, parameters={"old": secure})
    stack.up()
    if source == EXTERNAL:
        stack.put(f"{CANARY}\n", "old")
        name, key = f"/{stack.prefix}old", f"alias/{stack.prefix.rstrip('/')}"
        stack.ssm.put_parameter(Name=name, Type="SecureString", KeyId=key, Value=f"{CANARY}\n")
    before = (stack.text("old"), stack.value("old"))
    both = {
        "secrets": {"old": source, "new": source},
        "parameters": {"old": secure, "new": secure},
    }
    stack.write({}, **both)
    stack.up()
    run(stack, carry)
    stack.write({}, secrets={"new": source}, parameters={"new": secure})
    run(stack, ask)
    assert stack.text("old") is None
    assert (stack.text("new"), stack.value("new")) == before
    stack.run("pulumi preview --expect-no-changes")


def test_a_strict_stack_is_left_as_documented(stack: Stack) -> None:
    let_go, destroy = documented("Destroy a stack")
    lacks: tuple[str, ...] = (
        "rotation.database",
        "telemetry",
        "logRetention",
        "reservedConcurrency",
    )
    lacks += ("replicaRegions", "monitoring", "alarmSubscribers", "audit", "auditLogRetention")
    lacks += ("resourcePolicy", "network", "allowedAccounts")
    exemptions = dict.fromkeys(lacks, EXEMPTION)
    stack.write({}, protection="strict", exemptions=exemptions)
    stack.up()
    assert "it is protected" in refusal(lambda: run(stack, destroy))
    run(stack, let_go)
    run(stack, destroy)
    assert stack.urns() == set()
