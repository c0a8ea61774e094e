"""One environment: its key, its secrets, the role that reads them and the function that does."""

from pathlib import Path
from typing import cast

import pulumi
import pulumi_aws as aws

from infra import settings
from infra.access import ReaderRole
from infra.encryption import EncryptionKey
from infra.function import ExtensionArgs, ExtensionFunction, RuntimeArgs
from infra.policies import Place
from infra.secret import AppSecret
from infra.seeding import SecretSeeder

env = settings.load()
config, function = env.settings, env.settings.function
place = Place(env.partition, env.region, aws.get_caller_identity().account_id)
handler = Path(__file__).with_name("handler")

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
                    "fields": seed.fields,
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
files = ["app.py", "secret_client.py", *(["secret_telemetry.py"] if function.telemetry else [])]
role = ReaderRole(
    "reader",
    {
        "secret_arns": {env.secret_prefix + name: secret.arn for name, secret in secrets.items()},
        "key_arn": key.arn,
        "log_group_arn": place.log_group_arn(f"{env.log_group_prefix}reader"),
        "tracing": function.tracing,
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
        "files": {name: handler / name for name in files},
        "handler": "app.lambda_handler",
        "environment": {
            "SECRET_NAME": env.secret_prefix + function.secret,
            "SECRET_PREFIX": env.secret_prefix,
            "SECRETS_CACHE_SECONDS": str(env.client_cache_seconds()),
            "SECRETS_TELEMETRY": str(function.telemetry).lower(),
        },
        "extension": cast("ExtensionArgs", env.extension_args()),
        "tags": env.tags,
        **cast("RuntimeArgs", function.model_dump(exclude={"secret", "telemetry"})),
    },
    # Whoever calls the function finds values.
    pulumi.ResourceOptions(depends_on=seeders),
)

pulumi.export("secret_arns", {name: secret.arn for name, secret in secrets.items()})
pulumi.export("function_name", reader.name)
pulumi.export("function_arn", reader.arn)
pulumi.export("function_alias_arn", reader.alias_arn)
pulumi.export("role_arn", role.arn)
pulumi.export("key_arn", key.arn)
pulumi.export("key_alias", key.alias_name)
pulumi.export("layer_arn", env.layer_arn)
pulumi.export("log_group_name", reader.log_group_name)
