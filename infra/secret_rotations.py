"""Creates the functions that rotate secrets, and the schedules.

As in `wiring`, it passes settings and outputs to components.
"""

from collections.abc import Mapping
from pathlib import Path

import pulumi

from .components.app_secret import AppSecret
from .components.rotation_function import AdminArgs, RotationFunctionArgs, ScheduleArgs
from .components.secret_rotation import SecretRotation
from .components.secret_seeder import SecretSeeder
from .wiring import Context, Keys, Network, seeded


def secret_rotations(
    context: Context,
    keys: Keys,
    secrets: Mapping[str, AppSecret],
    seeders: list[SecretSeeder],
    network: Network,
) -> dict[str, SecretRotation]:
    """Create the function and the schedule for every secret that rotates."""
    env = context.env
    found: dict[str, SecretRotation] = {}
    for name, rotation in env.rotations.items():
        args: RotationFunctionArgs = {
            "replica_key_arns": keys.replica_arns,
            "files": _files(context, rotation.strategy),
            "handler": "rotation.lambda_handler",
            "strategy": rotation.strategy,
            "account_id": context.location.account_id,
            **_admin_secret(context, secrets, rotation.admin_secret),
            "database_host": rotation.host,
            "database_port": rotation.port,
            "vpc_config": network.vpc_config,
            **context.small_function(f"{name}-rotation", keys.home),
        }
        found[name] = SecretRotation(
            f"{name}-rotation",
            {
                "generate": env.settings.secrets[name].rotated_fields(),
                "overlap_hours": rotation.overlap_hours,
                **_schedule(context, secrets, name),
                **args,
            },
            _after_values(context, seeders, name),
        )
    network.role_arns.extend(each.role_arn for each in found.values())
    return found


def _after_values(
    context: Context, seeders: list[SecretSeeder], name: str
) -> pulumi.ResourceOptions:
    """Wait for the values from which a rotation starts, and with which it logs in."""
    admin = context.env.rotations[name].admin_secret
    return pulumi.ResourceOptions(depends_on=seeded(seeders, name, admin))


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
