"""Finds other environments whose names are taken already. Pure: no Pulumi, no boto3.

An environment is found by the alias of its key, the first resource with a fixed name. Without this
check, `up` fails in the middle, and alarms and dashboard may already have been overwritten.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from ..config.functions import READER
from ..names import Names

KeyOfAlias = Callable[[str, str], str | None]
"""Name of an alias, and region -> ARN of its key; None if there is no such alias."""

# A hyphen in front of what may be a logical name.
_END = re.compile("-(?=[A-Za-z0-9])")


def of_the_same_name(names: Names, regions: Collection[str], key_of: KeyOfAlias) -> Iterator[str]:
    """Yield a line for each region where this environment's alias exists.

    `regions` are those in which the stack has no key yet.
    """
    others = ["a stack of the same name is in this region or replicates to it"]
    base = names._replace(stack=names.stack.rpartition("-")[0])
    for part, alias in (("audit", base.audit_alias), ("alarms", base.alarms_alias)):
        if base.stack and alias == names.key_alias:
            others.append(f"it is that of the {part} key of stack {base.stack!r}")
    for region in regions:
        yield from _taken(names.key_alias, region, key_of, others)


def of_further_keys(aliases: Collection[str], region: str, key_of: KeyOfAlias) -> Iterator[str]:
    """Yield a line for each alias of the trail's or the alarms' key that exists."""
    for alias in aliases:
        stack = alias.rpartition("/")[2]
        others = [f"a stack {stack!r} has it", "a stack of the same name is in this region"]
        yield from _taken(alias, region, key_of, others)


def _taken(alias: str, region: str, key_of: KeyOfAlias, others: Sequence[str]) -> Iterator[str]:
    if key := key_of(alias, region):
        yield (
            f"{alias} already exists in {region}, for {key}, and is not in this stack's state:"
            f" {', '.join(others)}, or a deployment was interrupted. Rename the stack"
            ' (`pulumi stack rename`) or the project, or see "An interrupted deployment" in'
            " docs/operations.md"
        )


def of_similar_names(names: Names, region: str, key_of: KeyOfAlias) -> Iterator[str]:
    """Yield a line for each environment with another name that has the same names in AWS."""
    for other in names.namesakes:
        if key := key_of(other.key_alias, region):
            yield (
                f"{other.key_alias} exists in {region}, for {key}: it is that of project"
                f" {other.project!r} with stack {other.stack!r}, whose log groups, alarms and"
                f" dashboard also begin with {names.project}-{names.stack}. Rename the stack"
                " (`pulumi stack rename`) or the project; or if the key is not one of this"
                " program, rename its alias"
            )


def of_longer_names(
    names: Names, functions: Collection[str], region: str, key_of: KeyOfAlias
) -> Iterator[str]:
    """Yield a line for each environment whose name is this one's and how a function's begins.

    `functions` are those with alarms and log groups of their own name. Which functions the other
    environment has is unknown, so this is no error.
    """
    for function in functions:
        for end in [*(each.start() for each in _END.finditer(function)), len(function)]:
            other = names._replace(stack=f"{names.stack}-{function[:end]}")
            if key := key_of(other.key_alias, region):
                theirs = function[end + 1 :] or READER
                yield (
                    f"{other.key_alias} exists in {region}, for {key}: it is that of stack"
                    f" {other.stack!r}. If that has a function {theirs!r}, its alarms and those of"
                    f" {function!r} here have the same names, and the later deployment overwrites"
                    " the earlier one's; log groups with the same name make it fail. Rename the"
                    " function or a stack"
                )
