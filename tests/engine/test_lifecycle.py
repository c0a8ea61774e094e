"""Each change of a stack's config, alone and back, by Pulumi's engine: nothing is lost."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from local import deployment
from local.config.project import load
from local.deployment import Deployment
from local.engines.pulumi_cli import Cli
from local.engines.pulumi_engine import PulumiEngine, Step
from local.lifecycle import command, report
from local.lifecycle.changes import CHANGES, LAYERS, Change, base, shown_for
from local.lifecycle.patches import Patch, merged
from local.lifecycle.run import Lifecycle, LifecycleError
from tests.engine.cli import needs_cli
from tests.recording import ROOT

pytestmark = needs_cli

PAGE = ROOT / "docs/operations.md"
TITLES = {change.title: change for change in CHANGES}


@contextmanager
def deployed(pulumi: Cli, name: str) -> Iterator[tuple[Deployment, PulumiEngine]]:
    wanted = base(load(ROOT, name))
    with (
        deployment.account(wanted, LAYERS) as account,
        PulumiEngine(pulumi) as engine,
    ):
        yield (
            deployment.deploy(account.stack, account.aws, server=account.server, pulumi=engine),
            engine,
        )


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", command.STACKS)
def test_every_change_and_its_way_back_keeps_every_value(
    pulumi: Cli, name: str, tmp_path: Path
) -> None:
    page, shown = tmp_path / "page.md", io.StringIO()
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    with deployed(pulumi, name) as (made, engine):
        code = command.run(made, engine, Console(file=shown, width=300), page)
    assert code == 0, shown.getvalue()
    assert report.rows(page.read_text(encoding="utf-8")) == report.rows(
        PAGE.read_text(encoding="utf-8")
    ), "run `make lifecycle` with --write"


def test_there_are_forty_changes_and_each_applies_to_a_stack_of_this_project() -> None:
    stacks = [load(ROOT, name) for name in command.STACKS]
    shown = [
        title for number, each in enumerate(stacks) for title in shown_for(each, stacks[:number])
    ]
    assert sorted(shown) == sorted(TITLES)
    assert len(shown) >= 40
    assert report.rows(PAGE.read_text(encoding="utf-8")).keys() == TITLES.keys()


@pytest.fixture(scope="module")
def made(pulumi: Cli) -> Iterator[tuple[Deployment, PulumiEngine]]:
    """Deploy once for all changes that do what they must not."""
    with deployed(pulumi, "dev") as made:
        yield made


def test_the_changes_that_write_values_lose_none(
    made: tuple[Deployment, PulumiEngine],
) -> None:
    """The part of the table that every run of the tests makes."""
    lifecycle, stack = Lifecycle(*made), made[0].stack
    writing = [change for change in CHANGES if change.applies(stack) and change.rewrites]
    assert len(writing) >= 5
    for change in writing:
        lifecycle.make(change)


TEXT = "the text of a secret that is `from: config`"
FAULTS = {
    "a value": (replace(TITLES[TEXT], rewrites=()), "the value of configured changed"),
    "a secret that is deleted": (
        replace(TITLES["a secret is added (`external`)"], replaces=()),
        "takes away put-secret",
    ),
    "a parameter that is replaced": (
        replace(TITLES["`tier` of a parameter"], replaces=()),
        "takes away parameters-text",
    ),
    "a function that fails": (
        Change(
            "`expect`",
            {"functions": {"reader": {"expect": {"statusCode": 201}, "memoryMb": 300}}},
        ),
        "reader: .*201",
    ),
    "no change": (Change("`tags`", {"tags": {}}), "changes nothing"),
    "what is not asked for": (
        replace(TITLES["a secret is added (`external`)"], deletes=()),
        "put is no longer in the config",
    ),
}


# The first two are losses of data, which every run looks for.
CASES = [
    pytest.param(*fault, id=name, marks=[] if number < 2 else pytest.mark.exhaustive)
    for number, (name, fault) in enumerate(FAULTS.items())
]


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_a_change_that_loses_something_is_found(
    made: tuple[Deployment, PulumiEngine], change: Change, expected: str
) -> None:
    lifecycle = Lifecycle(*made)
    try:
        with pytest.raises(LifecycleError, match=expected):
            lifecycle.make(change)
    finally:
        lifecycle.take_back(TITLES.get(change.title, change))


@pytest.mark.exhaustive
def test_a_second_up_that_changes_something_is_found(
    made: tuple[Deployment, PulumiEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, engine = made
    step = Step("update", "urn:pulumi:dev::x::aws:lambda/function:Function::reader-function")
    monkeypatch.setattr(engine, "preview", lambda: [step])
    lifecycle, change = Lifecycle(*made), TITLES["`memoryMb`"]
    with pytest.raises(LifecycleError, match="another `up` would update reader-function"):
        lifecycle.make(change)
    monkeypatch.undo()
    lifecycle.take_back(change)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"b": None}, {"a": {"x": 1, "y": [1]}}),
        ({"a": {"x": 2}}, {"a": {"x": 2, "y": [1]}, "b": 3}),
        ({"a": {"y": [2]}}, {"a": {"x": 1, "y": [2]}, "b": 3}),
        ({"c": {"d": 1}}, {"a": {"x": 1, "y": [1]}, "b": 3, "c": {"d": 1}}),
    ],
)
def test_a_patch_changes_the_keys_that_it_has(patch: Patch, expected: Patch) -> None:
    config = {"a": {"x": 1, "y": [1]}, "b": 3}
    assert merged(config, patch) == expected
    assert config == {"a": {"x": 1, "y": [1]}, "b": 3}
