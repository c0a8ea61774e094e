"""One environment: its key, its secrets, the role that reads them and the function that does."""

from pathlib import Path
from typing import cast

import pulumi
import pulumi_aws as aws

from infra import packages, settings
from infra.access import ReaderRole
from infra.encryption import EncryptionKey
from infra.function import ExtensionArgs, ExtensionFunction, RuntimeArgs
from infra.policies import Place
from infra.rotation import SecretRotation
from infra.secret import AppSecret
from infra.seeding import SecretSeeder

env = settings.load()
config, function = env.settings, env.settings.function
place = Place(env.partition, env.region, aws.get_caller_identity().account_id)
handler = Path(__file__).with_name("handler")
# What a function needs to log in to PostgreSQL.
postgres = {
    "postgres.py": handler / "postgres.py",
    "ca-bundle.pem": env.ca_bundle,
    **packages.distribution("pg8000"),
}

key = EncryptionKey(
    "environment",
    {
        "description": f"Secrets and logs of {env.name}",
        "alias": f"{env.project}/{env.stack}",
        "partition": place.partition,
        "region": place.region,
        "account_id": place.account_id,
        "log_group_prefix": env.log_group_prefix,
        "rotation_period_in_days": config.key.rotation_period_days,
        "deletion_window_in_days": config.key.deletion_window_days,
        "tags": env.tags,
    },
)
secrets = {
    name: AppSecret(
        name,
        {
            "name": env.secret_prefix + name,
            "description": secret.description,
            "key_arn": key.arn,
            "recovery_window_in_days": env.recovery_window_in_days(name),
            "value": env.secret_value(name),
            "tags": env.tags,
        },
    )
    for name, secret in config.secrets.items()
}
seeders = []
if seeds := env.seeds():
    seeder = SecretSeeder(
        "seeder",
        {
            "seeds": {
                name: {
                    "name": env.secret_prefix + name,
                    "arn": secrets[name].arn,
                    "fields": seed.lasting_fields(),
                    "first": seed.first_fields(),
                    "generate": seed.random_passwords(),
                }
                for name, seed in seeds.items()
            },
            "key_arn": key.arn,
            "log_group_name": f"{env.log_group_prefix}seeder",
            "file": handler / "seed.py",
            "runtime": function.runtime,
            "architecture": function.architecture,
            "log_retention_days": function.log_retention_days,
            "tags": env.tags,
        },
    )
    seeders.append(seeder)
rotations = {}
for name, rotation in env.rotations.items():
    engine = "random" if rotation.strategy == "random" else "postgres"
    rotations[name] = SecretRotation(
        f"{name}-rotation",
        {
            "secret_arn": secrets[name].arn,
            "key_arn": key.arn,
            "account_id": place.account_id,
            "log_group_name": f"{env.log_group_prefix}{name}-rotation",
            "files": {
                **{file: handler / file for file in ("rotation.py", f"rotation_{engine}.py")},
                **(postgres if engine == "postgres" else {}),
            },
            "handler": "rotation.lambda_handler",
            "strategy": rotation.strategy,
            "generate": config.secrets[name].rotated_fields(),
            "admin_secret_arn": secrets[rotation.admin_secret].arn
            if rotation.admin_secret
            else None,
            "overlap_hours": rotation.overlap_hours,
            "every_days": rotation.every_days,
            "schedule": rotation.schedule,
            "window_hours": rotation.window_hours,
            "rotate_immediately": rotation.rotate_immediately,
            "runtime": function.runtime,
            "architecture": function.architecture,
            "log_retention_days": function.log_retention_days,
            "vpc_config": env.vpc_config,
            "tags": env.tags,
        },
        # A rotation starts from a value.
        pulumi.ResourceOptions(depends_on=seeders),
    )
files = [f"{function.handler}.py", "secret_client.py"]
if function.telemetry:
    files.append("secret_telemetry.py")
role = ReaderRole(
    "reader",
    {
        "secret_arns": {env.secret_prefix + name: secrets[name].arn for name in env.readable},
        "key_arn": key.arn,
        "log_group_arn": place.log_group_arn(f"{env.log_group_prefix}reader"),
        "tracing": function.tracing,
        "in_vpc": env.vpc_config is not None,
        "tags": env.tags,
    },
)
reader = ExtensionFunction(
    "reader",
    {
        "role_arn": role.arn,
        "layer_arn": env.layer_arn,
        "key_arn": key.arn,
        "log_group_name": f"{env.log_group_prefix}reader",
        "files": {
            **{name: handler / name for name in files},
            **(postgres if function.handler == "query" else {}),
        },
        "handler": f"{function.handler}.lambda_handler",
        "environment": {
            "SECRET_NAME": env.secret_prefix + function.secret,
            "SECRET_PREFIX": env.secret_prefix,
            "SECRETS_CACHE_SECONDS": str(env.client_cache_seconds()),
            "SECRETS_TELEMETRY": str(function.telemetry).lower(),
        },
        "vpc_config": env.vpc_config,
        "extension": cast("ExtensionArgs", env.extension_args()),
        "tags": env.tags,
        **cast("RuntimeArgs", function.model_dump(exclude={"handler", "secret", "telemetry"})),
    },
    # Whoever calls the function finds values.
    pulumi.ResourceOptions(depends_on=seeders),
)

pulumi.export("secret_arns", {name: secret.arn for name, secret in secrets.items()})
pulumi.export("function_name", reader.name)
pulumi.export("function_arn", reader.arn)
pulumi.export("function_alias_arn", reader.alias_arn)
pulumi.export("rotation_function_arns", {name: r.function_arn for name, r in rotations.items()})
pulumi.export("role_arn", role.arn)
pulumi.export("key_arn", key.arn)
pulumi.export("key_alias", key.alias_name)
pulumi.export("layer_arn", env.layer_arn)
pulumi.export("log_group_name", reader.log_group_name)
