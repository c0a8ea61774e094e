"""What the contract does not try of S3's types."""

import json
import re
from typing import Any

import pytest

from local.provider.provider import DeploymentError, HalfMadeError
from tests.provider.specimen import World
from tests.provider.specimens.s3 import RULE, TYPE, bucket, encrypted

BUCKET, VERSIONING = TYPE.format(""), TYPE.format("Versioning")
ENCRYPTION = TYPE.format("ServerSideEncryptionConfiguration")
LIFECYCLE, BLOCK = TYPE.format("LifecycleConfiguration"), TYPE.format("PublicAccessBlock")


def test_a_bucket_without_a_name_gets_one_in_lower_case(world: World) -> None:
    inputs = world.checked(BUCKET, "AuditLogs")
    assert re.fullmatch("auditlogs-[0-9a-f]{7}", inputs["bucket"])
    _, refused = world.provider.check(BUCKET, "x" * 56, {})
    assert {path for path, _ in refused} == {"bucket"}


def test_a_bucket_in_another_region_is_there(world: World) -> None:
    state = world.make(BUCKET, "abroad", region="eu-west-1")
    assert state["bucketRegion"] == "eu-west-1"
    assert state["bucketRegionalDomainName"] == f"{state['id']}.s3.eu-west-1.amazonaws.com"
    assert state["hostedZoneId"] == "Z1BKCTXD74EZPE"


def test_a_bucket_that_is_made_and_not_tagged_is_half_made(world: World) -> None:
    inputs = world.checked(BUCKET, "it", tags={f"Key{number}": "" for number in range(51)})
    with pytest.raises(HalfMadeError, match="BadRequest") as refused:
        world.provider.create(BUCKET, "it", inputs)
    assert refused.value.id == inputs["bucket"]
    assert refused.value.state["arn"].endswith(inputs["bucket"])
    world.provider.delete(BUCKET, "it", refused.value.id, {})


def test_a_bucket_that_is_not_empty_is_deleted_only_by_force(world: World) -> None:
    name, s3 = bucket(world), world.client("s3")
    state = world.make(BUCKET, "a-bucket")
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket=name, Key="object", Body=body)
    s3.delete_object(Bucket=name, Key="object")
    with pytest.raises(DeploymentError, match="BucketNotEmpty"):
        world.provider.delete(BUCKET, "it", name, {**state, "forceDestroy": False})
    world.provider.delete(BUCKET, "it", name, state)
    assert world.provider.read(BUCKET, "it", name, state) is None


def test_a_bucket_tells_at_a_refresh_what_others_set_and_nothing_differs(world: World) -> None:
    state = world.make(BUCKET, "a-bucket", forceDestroy=True)
    assert state["versioning"] == {"enabled": False, "mfaDelete": False}
    assert state["lifecycleRules"] == []
    name = bucket(world)
    world.make(VERSIONING, "versions", bucket=name, versioningConfiguration={"status": "Enabled"})
    world.make(LIFECYCLE, "lifecycle", bucket=name, rules=[RULE])
    world.make(ENCRYPTION, "encryption", bucket=name, rules=encrypted("aws:kms"))
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket"}
    statement |= {"Resource": state["arn"]}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    world.make(TYPE.format("Policy"), "policy", bucket=name, policy=text)

    read = world.provider.read(BUCKET, "it", name, state)
    assert read is not None
    assert read["versioning"]["enabled"]
    assert read["lifecycleRules"] == [
        {
            "id": "retention",
            "enabled": True,
            "prefix": "",
            "tags": {},
            "abortIncompleteMultipartUploadDays": 7,
            "expiration": {"days": 365},
            "transitions": [{"days": 90, "storageClass": "GLACIER_IR"}],
            "noncurrentVersionExpiration": {"days": 30},
        }
    ]
    default = read["serverSideEncryptionConfiguration"]["rule"]
    assert default["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms"}
    assert json.loads(read["policy"])["Statement"] == [statement]
    inputs = world.checked(BUCKET, "it", bucket=name, forceDestroy=True)
    assert not world.provider.diff(BUCKET, read, inputs).changed


def test_versioning_cannot_be_disabled_again(world: World) -> None:
    given = {"bucket": bucket(world), "versioningConfiguration": {"status": "Enabled"}}
    state = world.make(VERSIONING, "versions", **given)
    inputs = world.checked(VERSIONING, "it", **given)
    disabled = {**inputs, "versioningConfiguration": {"status": "Disabled"}}
    with pytest.raises(DeploymentError, match="cannot be updated from 'Enabled' to 'Disabled'"):
        world.provider.diff(VERSIONING, state, disabled)
    elsewhere = {**disabled, "bucket": bucket(world, "another")}
    assert world.provider.diff(VERSIONING, state, elsewhere).replaces == {"bucket"}
    elsewhere = {"bucket": bucket(world, "another")}
    elsewhere |= {"versioningConfiguration": {"status": "Disabled"}}
    never = world.make(VERSIONING, "never", **elsewhere)
    world.provider.delete(VERSIONING, "never", never["id"], never)
    told = world.client("s3").get_bucket_versioning(Bucket=bucket(world, "another"))
    assert "Status" not in told


def test_another_owner_replaces_a_setting_and_is_in_its_id(world: World) -> None:
    given = {"bucket": bucket(world), "rules": encrypted("AES256")}
    state = world.make(ENCRYPTION, "encryption", **given)
    owned = world.checked(ENCRYPTION, "it", **given, expectedBucketOwner=world.account_id)
    assert world.provider.diff(ENCRYPTION, state, owned).replaces == {"expectedBucketOwner"}
    id_, _ = world.provider.create(ENCRYPTION, "owned", owned)
    assert id_ == f"{given['bucket']},{world.account_id}"
    found = world.provider.find(ENCRYPTION, "owned", id_)
    assert found is not None
    assert found[1]["expectedBucketOwner"] == world.account_id


def test_an_encryption_that_is_blocked_by_others_is_no_difference(world: World) -> None:
    given = {"bucket": bucket(world), "rules": encrypted("AES256")}
    state = world.make(ENCRYPTION, "encryption", **given)
    blocked = {**state["rules"][0], "blockedEncryptionTypes": ["SSE-C"]}
    inputs = world.checked(ENCRYPTION, "it", **given)
    assert not world.provider.diff(ENCRYPTION, {**state, "rules": [blocked]}, inputs).changed


def test_a_public_access_block_stays_if_told_to(world: World) -> None:
    state = world.make(BLOCK, "block", bucket=bucket(world), skipDestroy=True)
    world.provider.delete(BLOCK, "block", state["id"], state)
    assert world.provider.read(BLOCK, "block", state["id"], state) is not None
    world.provider.delete(BLOCK, "block", state["id"], {**state, "skipDestroy": False})
    assert world.provider.read(BLOCK, "block", state["id"], state) is None


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"status": "enabled"}, "rules[0].status"),
        ({"id": "x" * 256}, "rules[0].id"),
        (
            {"noncurrentVersionExpiration": {"noncurrentDays": 0}},
            "rules[0].noncurrentVersionExpiration.noncurrentDays",
        ),
        (
            {"transitions": [{"days": 1, "storageClass": "STANDARD"}]},
            "rules[0].transitions[0].storageClass",
        ),
        (
            {"transitions": [{"days": 1, "date": "2030-01-01", "storageClass": "GLACIER"}]},
            "rules[0].transitions[0]",
        ),
    ],
)
def test_the_preview_refuses_a_lifecycle_rule(
    world: World, rule: dict[str, Any], path: str
) -> None:
    given = {"bucket": "a-bucket", "rules": [{**RULE, **rule}]}
    assert [each for each, _ in world.provider.check(LIFECYCLE, "it", given)[1]] == [path]
