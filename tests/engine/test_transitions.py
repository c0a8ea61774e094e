"""Every change of a secret's or parameter's source, type and tier, by Pulumi's engine.

All of a table is one stack: a secret or parameter for each cell, changed at the same time. What is
refused at preview is then left as it was, and the rest is deployed.
"""

import re
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, NamedTuple

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import Stack, refusal
from tests.recording import PROJECT

pytestmark = needs_cli

Goal = tuple[dict[str, Any], str | None]
"""Config of a secret or parameter, and its text in `secretValues`."""

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
    """Read a table: `<from>.<to>` -> what becomes of the value."""
    head, *rows = [line.split() for line in table.strip().splitlines()]
    cells = [(row[0], to, cell) for row in rows for to, cell in zip(head, row[1:], strict=True)]
    return {f"{source}.{to}": cell for source, to, cell in cells}


class Table(NamedTuple):
    """Each change of one kind, and what is to become of the value."""

    section: str
    outcomes: dict[str, str]
    sources: Mapping[str, tuple[Goal, str | None]]
    goals: Mapping[str, Goal | None]
    read: Callable[[str], str | None]
    put: Callable[[str, str], object]

    def first(self) -> dict[str, Goal | None]:
        """Return what each is deployed as."""
        return {name: self.sources[name.split(".")[0]][0] for name in self.outcomes}

    def wanted(self) -> dict[str, Goal | None]:
        """Return what each is changed to."""
        return {name: self.goals[name.split(".")[1]] for name in self.outcomes}

    def allowed(self) -> dict[str, Goal | None]:
        """Return what each is changed to, unless that is refused or stopped."""
        first, left = self.first(), {"refused", "stopped"}
        return {
            name: first[name] if self.outcomes[name] in left else goal
            for name, goal in self.wanted().items()
        }

    def values(self) -> dict[str, str | None]:
        """Return the value of each."""
        return {name: self.read(name) for name in self.outcomes}

    def check(self, before: Mapping[str, str | None]) -> None:
        """Compare what became of each value with what was expected."""
        wanted, after = self.wanted(), self.values()
        for name, outcome in self.outcomes.items():
            if outcome == "configured":
                goal = wanted[name]
                assert goal
                assert after[name] == (goal[1] or goal[0]["value"]), name
            elif outcome == "generated":
                assert after[name], name
                assert before[name] is None, name
            else:
                assert after[name] == before[name], name


def write(stack: Stack, goals: Mapping[str, Mapping[str, Goal | None]]) -> None:
    """Configure these secrets and parameters."""
    config: dict[str, dict[str, Any]] = {}
    values: dict[str, str] = {}
    for section, named in goals.items():
        there = {name: goal for name, goal in named.items() if goal}
        config[section] = {name: settings for name, (settings, _) in there.items()}
        prefix = "parameters/" if section == "parameters" else ""
        values |= {f"{prefix}{name}": text for name, (_, text) in there.items() if text}
    stack.write({}, **config)
    pairs = [f"--secret '{PROJECT}:secretValues[\"{n}\"]={text}'" for n, text in values.items()]
    stack.run(f"pulumi config set-all --path {' '.join(pairs)}")


@pytest.mark.exhaustive
def test_every_change_of_a_secret_or_parameter_keeps_its_value_or_is_refused(
    stack: Stack,
) -> None:
    key = f"alias/{stack.prefix.rstrip('/')}"

    def put_parameter(text: str, name: str) -> None:
        full = f"/{stack.prefix}{name}"
        stack.ssm.put_parameter(
            Name=full, Value=text, Type="SecureString", KeyId=key, Overwrite=True
        )

    secrets, parameters = expected(EXPECTED_OF_SECRETS), expected(EXPECTED_OF_PARAMETERS)
    tables = [
        Table("secrets", secrets, SECRETS, TO_SECRETS, stack.text, stack.put),
        Table("parameters", parameters, PARAMETERS, TO_PARAMETERS, stack.value, put_parameter),
    ]
    for table in tables:
        assert set(table.outcomes) == {f"{a}.{b}" for a, b in product(table.sources, table.goals)}
    write(stack, {table.section: table.first() for table in tables})
    stack.up()
    for table in tables:
        for name in table.outcomes:
            if text := table.sources[name.split(".")[0]][1]:
                table.put(text, name)
    before = [table.values() for table in tables]

    write(stack, {table.section: table.wanted() for table in tables})
    said = refusal(stack.preview)
    for table in tables:
        refused = {name for name, outcome in table.outcomes.items() if outcome == "refused"}
        assert set(re.findall(rf"{table.section}\.(\w+\.\w+) ", said)) == refused
    assert [table.values() for table in tables] == before

    write(stack, {table.section: table.allowed() for table in tables})
    stack.up()
    for table, values in zip(tables, before, strict=True):
        table.check(values)
    stack.run("pulumi preview --expect-no-changes")


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
