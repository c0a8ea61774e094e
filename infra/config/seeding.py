"""Which seeder writes which initial values: a role has room for about 200 secrets. Pure."""

from collections.abc import Mapping
from itertools import chain
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
        for at in range(0, len(policy_parts), MANAGED_POLICIES_PER_ROLE)
        for names in [{*chain(*policy_parts[at : at + MANAGED_POLICIES_PER_ROLE])}]
    ]


def seeder(number: int) -> str:
    """Return the name of a seeder, counted from one; the first has the name of the only one."""
    return "seeder" if number == 1 else f"seeder-{number}"


def _split(
    prefix: str, names: Mapping[str, object], regions: int = 0, *, writing: bool = False
) -> list[list[str]]:
    return policies.split_by_size([prefix + name for name in names], regions, writing=writing)
