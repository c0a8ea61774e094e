"""Creates the functions that rotate secrets, and the schedules.

As in `wiring`, it passes settings and outputs to components.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypedDict

import pulumi

from .components.app_secret import AppSecret
from .components.grouped_secret_rotation import GroupedSecretRotation
from .components.rotation_function import AdminArgs, RotationFunctionArgs, ScheduleArgs
from .components.rotation_group import GroupedSecret, RotationGroup
from .components.secret_rotation import SecretRotation
from .components.secret_seeder import SecretSeeder
from .config import functions
from .config.schema import RotationSettings
from .wiring import Context, Keys, Network, Rotation, seeded


def secret_rotations(
    context: Context,
    keys: Keys,
    secrets: Mapping[str, AppSecret],
    seeders: list[SecretSeeder],
    network: Network,
) -> dict[str, Rotation]:
    """Create the schedule for every secret that rotates, and the functions.

    Returns:
        Logical name of a secret -> the component with its function, which a group shares.

    """
    env = context.env
    found: dict[str, Rotation] = {}
    for function, names in functions.rotation_functions(env.settings).items():
        name, rotation = names[0], env.rotations[names[0]]
        args: RotationFunctionArgs = {
            "replica_key_arns": keys.replica_arns,
            "files": _files(context, rotation.strategy),
            "handler": "rotation.lambda_handler",
            "strategy": rotation.strategy,
            "account_id": context.location.account_id,
            **_admin_secret(context, secrets, rotation.admin_secret),
            **_database(env.rotations[name] for name in names),
            "vpc_config": network.vpc_config,
            **context.small_function(function, keys.home),
        }
        if rotation.group:
            group = RotationGroup(function, {"secrets": _grouped(context, secrets, names), **args})
            for each in names:
                found[each] = group
                GroupedSecretRotation(
                    f"{each}-rotation",
                    {**_schedule(context, secrets, each), "function_arn": group.function_arn},
                    _after_values(context, seeders, each),
                )
            continue
        found[name] = SecretRotation(
            function,
            {
                "generate": env.settings.secrets[name].rotated_fields(),
                "overlap_hours": rotation.overlap_hours,
                **_schedule(context, secrets, name),
                **args,
            },
            _after_values(context, seeders, name),
        )
    network.role_arns.extend(each.role_arn for each in dict.fromkeys(found.values()))
    return {name: found[name] for name in env.rotations}


class _Database(TypedDict):
    database_host: str | None
    database_port: int | None


def _database(rotations: Iterable[RotationSettings]) -> _Database:
    """Return the server, if the config names it for any; a group is for one server."""
    for rotation in rotations:
        if rotation.host is not None:
            return {"database_host": rotation.host, "database_port": rotation.port}
    return {"database_host": None, "database_port": None}


def _after_values(
    context: Context, seeders: list[SecretSeeder], name: str
) -> pulumi.ResourceOptions:
    """Wait for the values from which a rotation starts, and with which it logs in."""
    admin = context.env.rotations[name].admin_secret
    return pulumi.ResourceOptions(depends_on=seeded(seeders, name, admin))


def _grouped(
    context: Context, secrets: Mapping[str, AppSecret], names: list[str]
) -> dict[str, GroupedSecret]:
    env = context.env
    return {
        name: {
            "name": env.secret_prefix + name,
            "arn": secrets[name].arn,
            "generate": env.settings.secrets[name].rotated_fields(),
            "overlap_hours": env.rotations[name].overlap_hours,
        }
        for name in names
    }


def _files(context: Context, strategy: str) -> dict[str, Path]:
    """Return the files of a function's package, with the engine of its strategy."""
    postgres = strategy != "random"
    engine = ("postgres", "roles") if postgres else ("random",)
    return context.files(
        "rotation.py",
        "rotation_engine.py",
        "secret_json.py",
        *(f"rotation_{each}.py" for each in engine),
        postgres=postgres,
    )


def _schedule(context: Context, secrets: Mapping[str, AppSecret], name: str) -> ScheduleArgs:
    rotation = context.env.rotations[name]
    return {
        "secret_arn": secrets[name].arn,
        "every_days": rotation.every_days,
        "schedule": rotation.schedule,
        "window_hours": rotation.window_hours,
        "rotate_immediately": rotation.rotate_immediately,
    }


def _admin_secret(
    context: Context, secrets: Mapping[str, AppSecret], name: str | None
) -> AdminArgs:
    """Return the secret with which rotation logs in; an existing one has its own key."""
    if name is None:
        return {"admin_secret_arn": None}
    if name in secrets:
        return {"admin_secret_arn": secrets[name].arn}
    existing = context.env.settings.existing_secrets[name]
    return {"admin_secret_arn": existing.existing, "admin_key_arn": existing.key_arn}
