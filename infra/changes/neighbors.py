"""Finds other environments whose names are taken already. Pure: no Pulumi, no boto3.

An environment is found by the alias of its key, the first resource with a fixed name. Without this
check, `up` fails in the middle, and alarms and dashboard may already have been overwritten.
"""

from collections.abc import Callable, Collection, Iterator

from ..names import Names

KeyOfAlias = Callable[[str, str], str | None]
"""Name of an alias, and region -> ARN of its key; None if there is no such alias."""


def of_the_same_name(names: Names, regions: Collection[str], key_of: KeyOfAlias) -> Iterator[str]:
    """Yield a line for each region where this environment's alias exists.

    `regions` are those in which the stack has no key yet.
    """
    for region in regions:
        if key := key_of(names.key_alias, region):
            yield (
                f"{names.key_alias} already exists in {region}, for {key}, and is not in this"
                " stack's state: a stack of the same name is in this region or replicates to it,"
                " or a deployment was interrupted. Rename the stack (`pulumi stack rename`) or the"
                ' project, or see "An interrupted deployment" in docs/operations.md'
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
