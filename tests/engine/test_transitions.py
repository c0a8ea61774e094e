"""Every change of a secret's or parameter's source, type and tier, by Pulumi's engine.

All of a table is one stack: a secret or parameter for each cell, changed at the same time. What is
refused at preview is then left as it was, and the rest is deployed.
"""

import re
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import Stack, refusal
from tests.recording import PROJECT

pytestmark = needs_cli

Goal = tuple[dict[str, Any], str | None]
"""Config of a secret or parameter, and its text in ``secretValues``."""

FIRST, SECOND = '{"password": "first"}', '{"password": "second"}'
CONFIG, EXTERNAL = {"from": "config"}, {"from": "external"}
GENERATE: dict[str, Any] = {"generate": {"password": {}}}

# From where a value comes -> its config then, and what an operator puts over that.
SECRETS: dict[str, tuple[Goal, str | None]] = {
    "text": ((CONFIG, "first"), None),
    "object": ((CONFIG, FIRST), None),
    "over": ((CONFIG, "first"), FIRST),
    "made": ((GENERATE, None), None),
    "put": ((EXTERNAL, None), "first"),
    "fields": ((EXTERNAL, None), FIRST),
    "empty": ((EXTERNAL, None), None),
}
TO_SECRETS: dict[str, Goal | None] = {
    "text": (CONFIG, "second"),
    "object": (CONFIG, SECOND),
    "made": (GENERATE, None),
    "outside": (EXTERNAL, None),
    "gone": None,
}
# What becomes of the value. It is kept; or the config's own text is replaced by the config's; or
# one is made where there was none; or the preview refuses the change. A text that the state does
# not know stops the seeder, which says what to do; that is not tried here.
EXPECTED_OF_SECRETS = """
            text        object      made        outside     gone
    text    configured  configured  refused     kept        refused
    object  configured  configured  kept        kept        refused
    over    refused     refused     kept        kept        refused
    made    refused     refused     kept        kept        refused
    put     refused     refused     stopped     kept        refused
    fields  refused     refused     kept        kept        refused
    empty   configured  configured  generated   kept        refused
"""

SECURE, MADE = {"type": "SecureString", "from": "config"}, {"type": "SecureString"}
OUTSIDE = {"type": "SecureString", "from": "external"}


def plain(value: str, type_: str = "String", tier: str = "Standard") -> Goal:
    return {"type": type_, "tier": tier, "value": value}, None


PARAMETERS: dict[str, tuple[Goal, str | None]] = {
    "string": (plain("first"), None),
    "list": (plain("first", "StringList"), None),
    "advanced": (plain("first", tier="Advanced"), None),
    "secure": ((SECURE, "first"), None),
    "over": ((SECURE, "first"), "over"),
    "made": ((MADE, None), None),
    "put": ((OUTSIDE, None), "put"),
    "empty": ((OUTSIDE, None), None),
}
TO_PARAMETERS: dict[str, Goal | None] = {
    "string": plain("second"),
    "list": plain("second", "StringList"),
    "advanced": plain("second", tier="Advanced"),
    "secure": (SECURE, "second"),
    "made": (MADE, None),
    "outside": (OUTSIDE, None),
    "gone": None,
}
EXPECTED_OF_PARAMETERS = """
              string      list        advanced    secure      made       outside  gone
    string    configured  configured  configured  configured  refused    refused  refused
    list      configured  configured  configured  configured  refused    refused  refused
    advanced  configured  configured  configured  configured  refused    refused  refused
    secure    configured  configured  configured  configured  refused    refused  refused
    over      refused     refused     refused     refused     refused    refused  refused
    made      refused     refused     refused     refused     kept       kept     kept
    put       refused     refused     refused     refused     kept       kept     kept
    empty     configured  configured  configured  configured  generated  kept     kept
"""


def expected(table: str) -> dict[str, str]:
    """Read a table: ``<from>.<to>`` -> what becomes of the value."""
    head, *rows = [line.split() for line in table.strip().splitlines()]
    cells = [(row[0], to, cell) for row in rows for to, cell in zip(head, row[1:], strict=True)]
    return {f"{source}.{to}": cell for source, to, cell in cells}


def write(stack: Stack, section: str, goals: Mapping[str, Goal | None]) -> None:
    """Configure all of these secrets or parameters, the latter next to one that stays."""
    there = {name: goal for name, goal in goals.items() if goal}
    config = {name: settings for name, (settings, _) in there.items()}
    prefix = "parameters/" if section == "parameters" else ""
    values = {f"{prefix}{name}": text for name, (_, text) in there.items() if text}
    stack.write({}, **{section: config})
    pairs = [f"--secret '{PROJECT}:secretValues[\"{n}\"]={text}'" for n, text in values.items()]
    if pairs:
        stack.run(f"pulumi config set-all --path {' '.join(pairs)}")


def try_all(  # noqa: PLR0913, PLR0917 (a section's table, and how to read and put its values)
    stack: Stack,
    section: str,
    table: Mapping[str, str],
    sources: Mapping[str, tuple[Goal, str | None]],
    goals: Mapping[str, Goal | None],
    read: Callable[[str], str | None],
    put: Callable[[str, str], object],
) -> None:
    """Deploy each source, change each to its goal, and compare what becomes of the values."""
    assert set(table) == {f"{source}.{to}" for source, to in product(sources, goals)}
    first = {name: sources[name.split(".")[0]] for name in table}
    write(stack, section, {name: goal for name, (goal, _) in first.items()})
    stack.up()
    for name, (_, text) in first.items():
        if text is not None:
            put(text, name)
    before = {name: read(name) for name in table}

    wanted = {name: goals[name.split(".")[1]] for name in table}
    write(stack, section, wanted)
    found = set(re.findall(rf"{section}\.(\w+\.\w+) ", refusal(stack.preview)))
    assert found == {name for name, outcome in table.items() if outcome == "refused"}
    assert {name: read(name) for name in table} == before

    left = {name for name, outcome in table.items() if outcome in {"refused", "stopped"}}
    write(
        stack, section, {name: first[name][0] if name in left else wanted[name] for name in table}
    )
    stack.up()
    for name, outcome in table.items():
        after, goal = read(name), wanted[name]
        if outcome == "configured":
            assert goal
            assert after == (goal[1] or goal[0]["value"]), name
        elif outcome == "generated":
            assert after, name
            assert before[name] is None, name
        else:
            assert after == before[name], name
    stack.run("pulumi preview --expect-no-changes")


def test_every_change_of_a_secret_keeps_its_value_or_is_refused(stack: Stack) -> None:
    table = expected(EXPECTED_OF_SECRETS)
    try_all(stack, "secrets", table, SECRETS, TO_SECRETS, stack.text, stack.put)


@pytest.mark.exhaustive
def test_every_change_of_a_parameter_keeps_its_value_or_is_refused(stack: Stack) -> None:
    key = f"alias/{stack.prefix.rstrip('/')}"

    def put(text: str, name: str) -> None:
        full = f"/{stack.prefix}{name}"
        stack.ssm.put_parameter(
            Name=full, Value=text, Type="SecureString", KeyId=key, Overwrite=True
        )

    table = expected(EXPECTED_OF_PARAMETERS)
    try_all(stack, "parameters", table, PARAMETERS, TO_PARAMETERS, stack.value, put)


@pytest.mark.exhaustive
def test_rotation_and_replicas_come_and_go_and_the_value_stays(stack: Stack) -> None:
    given: dict[str, dict[str, Any]] = {"x": {"generate": {"key": {}}}, "y": EXTERNAL}
    rotating = {**given, "x": {**given["x"], "rotation": {"strategy": "random"}}}
    stack.write({}, secrets=given)
    stack.up()
    stack.put("first", "y")
    before = (stack.text(), stack.text("y"))
    for keys in (
        {"secrets": rotating},
        {"secrets": rotating, "replicaRegions": ["us-west-2"]},
        {"secrets": rotating, "replicaRegions": ["eu-west-1"]},
        {"secrets": given},
    ):
        stack.write({}, **keys)
        stack.up()
        assert (stack.text(), stack.text("y")) == before
