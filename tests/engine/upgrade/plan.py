"""What an upgrade plans to do, a line for each resource that `pulumi up` shows.

`same` is a change in the state only. The engine's own providers are no line: the CLI shows none.
"""

from collections.abc import Iterable
from pathlib import Path

from local.engines.pulumi_engine import Step

# A replacement is three steps, of which one says it all.
_PARTS = {"create-replacement", "delete-replaced"}
_HARMLESS = {"create", "same", "update"}
# What may be replaced or deleted, as it holds nothing: a call of a function.
_HOLDS_NOTHING = {"aws:lambda/invocation:Invocation"}


def lines(steps: Iterable[Step]) -> list[str]:
    """Write each change as operation, type and logical name, and the inputs that differ."""
    return sorted(
        " ".join([step.operation, step.type, step.name, *step.changed])
        for step in steps
        if step.operation not in _PARTS and not step.type.startswith("pulumi:providers:")
    )


def recorded(version: str, stack: str) -> list[str]:
    """Read the plan of a stack's upgrade from a version, as the last change of it was recorded."""
    text = Path(__file__).with_name(f"plan-{version}.txt").read_text(encoding="utf-8")
    sections = dict(each.split("\n", 1) for each in f"\n{text}".split("\n# ")[1:])
    return sorted(filter(None, sections[stack].splitlines()))


def advice(version: str, stack: str, planned: Iterable[str]) -> str:
    """Say what to record of a plan that is not the recorded one."""
    section = "\n".join([f"# {stack}", *planned])
    return f"what `pulumi up` shows has changed; in plan-{version}.txt write\n\n{section}\n"


def losses(steps: Iterable[Step]) -> list[str]:
    """Name what is replaced or deleted and may hold data."""
    return sorted(
        f"{step.operation} {step.type} {step.name}"
        for step in steps
        if step.operation not in _HARMLESS and step.type not in _HOLDS_NOTHING
    )
