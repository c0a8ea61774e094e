"""One function and its secret: `orders` signs with a key that is generated inside AWS."""

from pathlib import Path

import pulumi
import pulumi_aws as aws
from lambda_secrets import own_files
from lambda_secrets.aws.layers import extension_layer_arn
from lambda_secrets.aws.location import Location
from lambda_secrets.components.app_secret import AppSecret
from lambda_secrets.components.encryption_key import EncryptionKey
from lambda_secrets.components.extension_function import ExtensionFunction
from lambda_secrets.components.reader_role import ReaderRole
from lambda_secrets.components.secret_seeder import SecretSeeder
from lambda_secrets.packaging import client

PREFIX = f"{pulumi.get_project()}/{pulumi.get_stack()}"
SECRET_NAME = f"{PREFIX}/signing"
LOG_GROUP = f"/aws/lambda/{PREFIX.replace('/', '-')}-"

place = Location(
    "aws", pulumi.Config("aws").require("region"), aws.get_caller_identity().account_id
)

key = EncryptionKey(
    "orders",
    {
        "description": "Secrets and logs of orders",
        "alias": PREFIX,
        "log_group_prefix": LOG_GROUP,
        **place.args,
    },
)
secret = AppSecret("signing", {"name": SECRET_NAME, "key_arn": key.arn})
seeder = SecretSeeder(
    "seeder",
    {
        "seeds": {
            "signing": {
                "name": SECRET_NAME,
                "arn": secret.arn,
                "fields": {},
                "generate": {"key": {"length": 64}},
            }
        },
        "key_arn": key.arn,
        "log_group_name": f"{LOG_GROUP}seeder",
        "files": own_files.SEEDER,
        "handler": "seed.lambda_handler",
    },
)
role = ReaderRole(
    "orders",
    {
        "secret_arns": {SECRET_NAME: secret.arn},
        "key_arn": key.arn,
        "log_group_arn": place.log_group_arn(f"{LOG_GROUP}orders"),
    },
)
function = ExtensionFunction(
    "orders",
    {
        "files": {
            "orders.py": Path(__file__).with_name("orders.py"),
            **client.files(own_files.HANDLER),
        },
        "handler": "orders.handle",
        "role_arn": role.arn,
        "layer_arn": extension_layer_arn(place.region, "arm64"),
        "key_arn": key.arn,
        "log_group_name": f"{LOG_GROUP}orders",
        "environment": {"SECRET_NAME": SECRET_NAME},
    },
    pulumi.ResourceOptions(depends_on=[seeder]),
)

pulumi.export("function_alias_arn", function.alias_arn)
pulumi.export("secret_arn", secret.arn)
