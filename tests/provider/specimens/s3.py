import json
from typing import Any

from tests.provider.specimen import Specimen, World

TYPE = "aws:s3/bucket{0}:Bucket{0}"
OWNER = {"expectedBucketOwner": "the deletion of the replaced one takes away what was just set"}


def bucket(world: World, name: str = "a-bucket") -> str:
    return str(world.make(TYPE.format(""), name, forceDestroy=True)["id"])


def policy(world: World, action: str) -> str:
    principal = {"AWS": f"arn:aws:iam::{world.account_id}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    statement |= {"Resource": f"arn:aws:s3:::{bucket(world)}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def key(world: World) -> str:
    return str(world.make("aws:kms/key:Key", "key", deletionWindowInDays=7)["arn"])


def encrypted(algorithm: str, **more: Any) -> list[dict[str, Any]]:
    return [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm, **more}}]


RULE = {
    "id": "retention",
    "status": "Enabled",
    "filter": {"prefix": ""},
    "transitions": [{"days": 90, "storageClass": "GLACIER_IR"}],
    "expiration": {"days": 365},
    "noncurrentVersionExpiration": {"noncurrentDays": 30},
    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
}
BOTH = {"prefix": "logs/", "tags": {"a-key": "a value"}, "objectSizeLessThan": 1000}
MOVES = [
    {"date": "2030-01-01T00:00:00Z", "storageClass": "GLACIER"},
    {"days": 0, "storageClass": "INTELLIGENT_TIERING"},
]
OLDER = [{"noncurrentDays": 5, "newerNoncurrentVersions": 2, "storageClass": "STANDARD_IA"}]

SPECIMENS = [
    Specimen(
        TYPE.format(""),
        lambda _: {"bucket": "specimen-bucket", "tags": {"A": "1", "B": "2"}},
        lambda _: [
            {"bucket": "another-bucket"},
            {"forceDestroy": True},
            {"objectLockEnabled": True},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        taken="BucketAlreadyExists",
        not_read=frozenset({"forceDestroy"}),
    ),
    Specimen(
        TYPE.format("Versioning"),
        lambda world: {
            "bucket": bucket(world),
            "versioningConfiguration": {"status": "Enabled"},
        },
        lambda world: [
            {"bucket": bucket(world, "another")},
            {"versioningConfiguration": {"status": "Suspended"}},
        ],
        not_changed={**OWNER, "mfa": "only the root user with a device of its own may"},
        seen_gone=False,
    ),
    Specimen(
        TYPE.format("OwnershipControls"),
        lambda world: {
            "bucket": bucket(world),
            "rule": {"objectOwnership": "BucketOwnerEnforced"},
        },
        lambda world: [
            {"bucket": bucket(world, "another")},
            {"rule": {"objectOwnership": "ObjectWriter"}},
        ],
    ),
    Specimen(
        TYPE.format("PublicAccessBlock"),
        lambda world: {
            "bucket": bucket(world),
            "blockPublicAcls": True,
            "blockPublicPolicy": True,
            "ignorePublicAcls": True,
            "restrictPublicBuckets": True,
        },
        lambda world: [
            {"bucket": bucket(world, "another")},
            {"blockPublicAcls": False},
            {"blockPublicPolicy": False},
            {"ignorePublicAcls": False},
            {"restrictPublicBuckets": False},
            {"skipDestroy": True},
        ],
        not_read=frozenset({"skipDestroy"}),
    ),
    Specimen(
        TYPE.format("ServerSideEncryptionConfiguration"),
        lambda world: {
            "bucket": bucket(world),
            "rules": encrypted("aws:kms", kmsMasterKeyId=key(world)),
        },
        lambda world: [
            {"bucket": bucket(world, "another")},
            {"rules": encrypted("AES256")},
            {
                "rules": [
                    {
                        **encrypted("aws:kms")[0],
                        "bucketKeyEnabled": True,
                        "blockedEncryptionTypes": ["SSE-C"],
                    }
                ]
            },
        ],
        not_changed=OWNER,
        seen_gone=False,
    ),
    Specimen(
        TYPE.format("LifecycleConfiguration"),
        lambda world: {"bucket": bucket(world), "rules": [RULE]},
        lambda world: [
            {"bucket": bucket(world, "another")},
            {"rules": [{**RULE, "status": "Disabled"}]},
            {"rules": [{"id": "none", "status": "Enabled", "transitions": MOVES}]},
            {"rules": [{**RULE, "filter": {"and": BOTH}}, {**RULE, "id": "other"}]},
            {"rules": [{**RULE, "filter": {"tag": {"key": "a", "value": "b"}}}]},
            {"rules": [{**RULE, "filter": {"objectSizeGreaterThan": 100}}]},
            {"rules": [{**RULE, "expiration": {"expiredObjectDeleteMarker": True}}]},
            {"rules": [{**RULE, "noncurrentVersionTransitions": OLDER}]},
            {"transitionDefaultMinimumObjectSize": "varies_by_storage_class"},
            {"timeouts": {"create": "5m"}},
        ],
        not_changed=OWNER,
        not_read=frozenset({"timeouts"}),
    ),
    Specimen(
        TYPE.format("Policy"),
        lambda world: {"bucket": bucket(world), "policy": policy(world, "s3:GetObject")},
        lambda world: [
            {"bucket": bucket(world, "another")},
            {"policy": policy(world, "s3:PutObject")},
        ],
    ),
]
