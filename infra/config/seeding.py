"""Which seeder writes which initial values: a role has room for about 200 secrets. Pure."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from ..aws.limits import MANAGED_POLICIES_PER_ROLE
from ..policies import iam as policies
from .environment import Environment
from .schema import ParameterSettings, SecretSettings


class Part(NamedTuple):
    """What one seeder writes, by logical name."""

    secrets: Mapping[str, SecretSettings]
    parameters: Mapping[str, ParameterSettings]


def parts(env: Environment) -> list[Part]:
    """Split what is generated so that the policies of one role can grant each part."""
    secrets, parameters = env.seeds(), env.parameter_seeds()
    policy_parts = [
        *_split(env.parameter_prefix, parameters),
        *_split(env.secret_prefix, secrets, len(env.settings.replica_regions), writing=True),
    ]
    return [
        Part(
            {name: each for name, each in secrets.items() if env.secret_prefix + name in names},
            {
                name: each
                for name, each in parameters.items()
                if env.parameter_prefix + name in names
            },
        )
        for names in _batches(policy_parts)
    ]


def seeder(number: int) -> str:
    """Return the name of a seeder, counted from one; the first has the name of the only one."""
    return "seeder" if number == 1 else f"seeder-{number}"


def _batches(policy_parts: list[list[str]]) -> Iterator[set[str]]:
    """Yield the names in the policies of each role."""
    left = iter(policy_parts)
    while batch := [*islice(left, MANAGED_POLICIES_PER_ROLE)]:
        yield set().union(*batch)


def _split(
    prefix: str, names: Mapping[str, object], regions: int = 0, *, writing: bool = False
) -> list[list[str]]:
    return policies.split_by_size([prefix + name for name in names], regions, writing=writing)
