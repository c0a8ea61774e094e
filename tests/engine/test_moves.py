"""A stack under another name, by Pulumi's engine: everything stays, and the advice leads back."""

import re

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import CANARY, REGION, Stack, advice
from tests.recording import PROJECT

pytestmark = [pytest.mark.exhaustive, needs_cli]


def deploy(stack: Stack) -> None:
    stack.write(
        {"x": CANARY},
        secrets={"x": {"from": "config"}, "y": {"generate": {"password": {}}}},
        parameters={"x": {"type": "SecureString"}, "y": {"value": "plain"}},
    )
    stack.up()


def values(stack: Stack) -> list[str | None]:
    return [stack.text(), stack.text("y"), stack.value()]


def is_as_it_was(stack: Stack) -> bool:
    return "unchanged" in stack.run("pulumi preview --expect-no-changes")


def test_a_renamed_stack_keeps_its_values_and_gets_its_name_back(stack: Stack) -> None:
    deploy(stack)
    before = values(stack)
    stack.run("pulumi stack rename another")
    (back,) = advice(stack)
    assert values(stack) == before
    stack.run(back)
    assert is_as_it_was(stack)


def test_a_renamed_project_keeps_its_values_and_gets_its_name_back(stack: Stack) -> None:
    deploy(stack)
    before = values(stack)
    files = (stack.work / "Pulumi.yaml", stack.work / f"Pulumi.{stack.name}.yaml")
    originals = [path.read_text() for path in files]
    for path, text in zip(files, originals, strict=True):
        path.write_text(re.sub(rf"\b{PROJECT}(:|$)", r"another\1", text, flags=re.MULTILINE))
    path_of = f"organization/{{}}/{stack.name}".format
    stack.run(f"pulumi stack rename {path_of('another')} -s {path_of(PROJECT)}")
    (back,) = advice(stack)
    assert values(stack) == before
    stack.run(back)
    for path, text in zip(files, originals, strict=True):
        path.write_text(text)
    assert is_as_it_was(stack)


def test_a_stack_in_another_region_goes_back(stack: Stack) -> None:
    deploy(stack)
    before = values(stack)
    stack.run("pulumi config set aws:region eu-west-1")
    (back,) = advice(stack)
    assert REGION in back
    assert values(stack) == before
    stack.run(back)
    assert is_as_it_was(stack)
