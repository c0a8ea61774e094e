import json

from tests.provider.specimen import REGION, Specimen, World


def policy(world: World, sid: str = "Account") -> str:
    logs = f"logs.{REGION}.amazonaws.com"  # or no log group could use the key
    principal = {"AWS": f"arn:aws:iam::{world.account_id}:root", "Service": logs}
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal}
    statement |= {"Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def key(world: World, name: str = "a-key") -> str:
    made = world.make("aws:kms/key:Key", name, policy=policy(world), deletionWindowInDays=7)
    return str(made["id"])


SPECIMENS = [
    Specimen(
        "aws:kms/key:Key",
        lambda world: {
            "description": "of the tests",
            "policy": policy(world),
            "enableKeyRotation": True,
            "rotationPeriodInDays": 365,
            "deletionWindowInDays": 7,
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"description": "another"},
            {"policy": policy(world, "Another")},
            {"enableKeyRotation": None, "rotationPeriodInDays": None},
            {"rotationPeriodInDays": 100},
            {"deletionWindowInDays": 30},
            {"isEnabled": False},
            {
                "keyUsage": "SIGN_VERIFY",
                "customerMasterKeySpec": "RSA_2048",
                "enableKeyRotation": None,
                "rotationPeriodInDays": None,
            },
            {"multiRegion": True},
            {"bypassPolicyLockoutSafetyCheck": True},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        not_read=frozenset({"deletionWindowInDays", "bypassPolicyLockoutSafetyCheck"}),
        import_differs=frozenset({"deletionWindowInDays"}),
    ),
    Specimen(
        "aws:kms/alias:Alias",
        lambda world: {"name": "alias/specimen", "targetKeyId": key(world)},
        lambda world: [
            {"name": "alias/another"},
            {"targetKeyId": key(world, "another-key")},
        ],
        taken="AlreadyExistsException",
    ),
]
