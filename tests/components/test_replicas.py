"""Replicas in other regions: what is asked of AWS, exactly, and what IAM can hold."""

import json
from collections.abc import Callable
from functools import partial

import pytest

from infra import own_files
from infra.components.app_secret import AppSecret
from infra.components.encryption_key import EncryptionKey, EncryptionKeyArgs
from infra.components.reader_role import ReaderRole
from infra.components.secret_rotation import SecretRotation, SecretRotationArgs
from infra.components.secret_seeder import SecretSeeder, SecretSeederArgs
from infra.policies import iam as policies
from tests.components.test_components import (
    KEY,
    KEY_ARGS,
    ROLE_ARGS,
    ROTATION_ARGS,
    SECRET_ARGS,
    secret_arns,
)
from tests.recording import by_type, made, only, planned

OTHER_KEY = KEY.replace("us-east-1", "eu-west-1")
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:p/s-AbCdEf"
MOST_CHARACTERS = 6_144


def key_arns(*regions: str) -> dict[str, str]:
    return {region: KEY.replace("us-east-1", region) for region in regions}


def test_a_replica_is_asked_for_with_its_region_and_that_regions_key() -> None:
    replicas = key_arns("us-west-2", "eu-west-1")
    registered = made(lambda: AppSecret("s", {**SECRET_ARGS, "replicas": replicas}))
    secret = only(registered, "secret:Secret").inputs
    # Nothing but region and key, which do not change by themselves, and always in one order.
    assert secret["replicas"] == [
        {"region": "eu-west-1", "kmsKeyId": replicas["eu-west-1"]},
        {"region": "us-west-2", "kmsKeyId": replicas["us-west-2"]},
    ]


def test_no_secret_of_the_same_name_is_ever_overwritten() -> None:
    registered = made(lambda: AppSecret("s", {**SECRET_ARGS, "replicas": key_arns("eu-west-1")}))
    assert "forceOverwriteReplicaSecret" not in only(registered, "secret:Secret").inputs


def test_no_replicas_ask_for_nothing() -> None:
    registered = made(lambda: AppSecret("s", {**SECRET_ARGS, "replicas": {}}))
    assert "replicas" not in only(registered, "secret:Secret").inputs


@pytest.mark.parametrize(
    ("partition", "region", "other", "services"),
    [
        ("aws", "us-west-2", "us-east-1", ["us-west-2.amazonaws.com", "us-east-1.amazonaws.com"]),
        (
            "aws-cn",
            "cn-north-1",
            "cn-northwest-1",
            [
                "cn-north-1.amazonaws.com",
                "cn-north-1.amazonaws.com.cn",
                "cn-northwest-1.amazonaws.com",
                "cn-northwest-1.amazonaws.com.cn",
            ],
        ),
    ],
)
def test_a_key_of_replicated_secrets_serves_secrets_manager_of_both_regions(
    partition: str, region: str, other: str, services: list[str]
) -> None:
    args: EncryptionKeyArgs = {
        **KEY_ARGS,
        "partition": partition,
        "region": region,
        "replication_regions": [other],
    }
    key = only(made(lambda: EncryptionKey("k", args)), "kms/key:Key").inputs
    _, use = json.loads(key["policy"])["Statement"]
    through = use["Condition"]["StringEquals"]["kms:ViaService"]
    assert through == [f"secretsmanager.{each}" for each in services]


def test_who_writes_encrypts_with_the_replicas_keys_too_and_writes_at_home_only() -> None:
    replica_keys = key_arns("us-west-2", "eu-west-1")
    seeder: SecretSeederArgs = {
        "seeds": {
            "s": {"name": "p/s", "arn": SECRET, "fields": {"a": 1}, "generate": {}},
        },
        "key_arn": KEY,
        "replica_key_arns": replica_keys,
        "log_group_name": "/g",
        "files": own_files.SEEDER,
        "handler": "seed.lambda_handler",
    }
    rotation: SecretRotationArgs = {
        **ROTATION_ARGS,
        "secret_arn": SECRET,
        "replica_key_arns": replica_keys,
    }
    seeding = only(made(lambda: SecretSeeder("r", seeder)), "policy:Policy")
    registered = made(lambda: SecretRotation("r", rotation))
    (rotating,) = [each for each in by_type(registered, ":RolePolicy") if each.name == "r-rotate"]
    for grant in (seeding, rotating):
        write, encrypt, _ = json.loads(grant.inputs["policy"])["Statement"]
        assert "secretsmanager:PutSecretValue" in write["Action"]
        assert write["Resource"] in (SECRET, [SECRET])
        assert encrypt["Action"] == ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
        assert encrypt["Resource"] == [KEY, *replica_keys.values()]
        assert encrypt["Condition"] == {
            "StringEquals": {
                "kms:ViaService": [
                    f"secretsmanager.{region}.amazonaws.com"
                    for region in ("us-east-1", "us-west-2", "eu-west-1")
                ]
            },
            "StringLike": {"kms:EncryptionContext:SecretARN": ["arn:*:secret:p/s-AbCdEf"]},
        }


def test_an_administrators_secret_is_read_at_home_only() -> None:
    document = policies.rotate_secrets(
        [SECRET], f"{SECRET}-admin", KEY, KEY, OTHER_KEY, history=False
    )
    read, decrypt = document["Statement"][-2:]
    assert (read["Resource"], decrypt["Resource"]) == ([f"{SECRET}-admin"], KEY)


def test_more_secrets_than_a_seeder_can_be_granted_with_replicas_are_refused() -> None:
    args: SecretSeederArgs = {
        "seeds": {
            name: {"name": name, "arn": arn, "fields": {}, "generate": {}}
            for name, arn in secret_arns(330).items()
        },
        "key_arn": KEY,
        "replica_key_arns": key_arns("us-west-2", "eu-west-1"),
        "log_group_name": "/g",
        "files": own_files.SEEDER,
        "handler": "seed.lambda_handler",
    }
    with pytest.raises(ValueError, match=r"330 secrets with 2 replica regions need 1\d policies"):
        made(lambda: SecretSeeder("s", args))


def test_the_stacks_keys_and_writers_know_the_regions_of_its_replicas() -> None:
    registered = planned("prod", replicaRegions=["us-west-2"]).registrations
    for key in by_type(registered, "kms/key:Key"):
        if key.name in ("environment-key", "replica-us-west-2-key"):
            assert "secretsmanager.us-east-1.amazonaws.com" in key.inputs["policy"]
            assert "secretsmanager.us-west-2.amazonaws.com" in key.inputs["policy"]
    grants = [
        json.loads(each.inputs["policy"])["Statement"]
        for each in registered
        if each.name.endswith("-rotate") or each.name.startswith("seeder-seed-1")
        if "policy" in each.inputs
    ]
    assert len(grants) > 1
    for statements in grants:
        (encrypt,) = [each for each in statements if each["Sid"].startswith("EncryptSecret")]
        assert len(encrypt["Resource"]) == 2


def test_a_key_is_made_in_its_region_and_serves_secrets_manager_of_that_region_only() -> None:
    registered = made(lambda: EncryptionKey("k", {**KEY_ARGS, "region": "us-west-2"}))
    key = only(registered, "kms/key:Key").inputs
    assert key["region"] == only(registered, "kms/alias:Alias").inputs["region"] == "us-west-2"
    assert "multiRegion" not in key
    _, use = json.loads(key["policy"])["Statement"]
    assert use["Condition"]["StringEquals"]["kms:ViaService"] == [
        "secretsmanager.us-west-2.amazonaws.com"
    ]
    assert "us-east-1" not in key["policy"]


def test_a_reader_reads_the_replicas_in_their_regions_by_their_keys() -> None:
    (name, arn), keys = *secret_arns(1).items(), key_arns("us-west-2")
    registered = made(
        lambda: ReaderRole(
            "r", {**ROLE_ARGS, "secret_arns": {name: arn}, "replica_key_arns": keys}
        )
    )
    read, decrypt = json.loads(only(registered, "policy:Policy").inputs["policy"])["Statement"]
    assert read == {
        "Sid": "ReadSecrets",
        "Effect": "Allow",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": [f"arn:aws:secretsmanager:*:123456789012:secret:{name}-AbCdEf"],
        "Condition": {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}},
    }
    assert decrypt["Action"] == ["kms:Decrypt"]
    assert decrypt["Resource"] == [KEY, keys["us-west-2"]]
    assert decrypt["Condition"] == {
        "StringEquals": {
            "kms:ViaService": [
                "secretsmanager.us-east-1.amazonaws.com",
                "secretsmanager.us-west-2.amazonaws.com",
            ]
        },
        "StringLike": {"kms:EncryptionContext:SecretARN": [f"arn:*:secret:{name}-AbCdEf"]},
    }


def test_a_reader_without_replicas_is_granted_what_it_was_granted_before() -> None:
    arns = secret_arns(1)
    plain = made(lambda: ReaderRole("r", {**ROLE_ARGS, "secret_arns": arns}))
    none = made(
        lambda: ReaderRole("r", {**ROLE_ARGS, "secret_arns": arns, "replica_key_arns": {}})
    )
    document = only(plain, "policy:Policy").inputs["policy"]
    assert document == only(none, "policy:Policy").inputs["policy"]
    read, decrypt = json.loads(document)["Statement"]
    assert read["Resource"] == list(arns.values())
    assert "Condition" not in read
    assert decrypt["Resource"] == KEY


@pytest.mark.parametrize("regions", [(), ("us-west-2",), ("us-west-2", "eu-central-1")])
def test_300_secrets_fit_with_and_without_replicas(regions: tuple[str, ...]) -> None:
    arns, keys = secret_arns(300), key_arns(*regions)
    registered = made(
        lambda: ReaderRole("r", {**ROLE_ARGS, "secret_arns": arns, "replica_key_arns": keys})
    )
    documents = [
        json.loads(each.inputs["policy"]) for each in by_type(registered, "policy:Policy")
    ]
    assert len(documents) <= 10
    granted = [arn for each in documents for arn in each["Statement"][0]["Resource"]]
    assert len(set(granted)) == 300
    for each in documents:
        assert len(json.dumps(each, separators=(",", ":"))) <= MOST_CHARACTERS
        assert len(each["Statement"][1]["Condition"]["StringLike"].popitem()[1]) == len(
            each["Statement"][0]["Resource"]
        )


@pytest.mark.parametrize(
    "write", [partial(policies.read_secrets, describe=True), policies.seed_secrets]
)
@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
@pytest.mark.parametrize("replicas", [1, 2, 5, 12])
@pytest.mark.parametrize("length", [1, 12, 100, 480])
def test_policies_with_replicas_fit_with_the_longest_arns_that_there_are(
    write: Callable[..., policies.Policy], partition: str, replicas: int, length: int
) -> None:
    place = f"arn:{partition}:{{}}:cn-northwest-1:123456789012"
    key = f"{place.format('kms')}:key/mrk-0123456789abcdef0123456789abcdef"
    writing = write is policies.seed_secrets
    for part in policies.split_by_size(secret_arns(60, length), replicas, writing=writing):
        arns = [f"{place.format('secretsmanager')}:secret:{name}-AbCdEf" for name in part]
        document = write(arns, key, *[key] * replicas)
        assert len(json.dumps(document, separators=(",", ":"))) <= MOST_CHARACTERS


@pytest.mark.parametrize(
    ("count", "length", "regions", "fault"),
    [
        (
            330,
            12,
            2,
            "'r': 330 secrets with 2 replica regions need 11 policies, but IAM allows 10",
        ),
        (330, 12, 2, "use fewer secrets, shorter names, or fewer replica regions"),
        (1, 480, 16, "with 16 replica regions; use fewer"),
    ],
)
def test_what_iam_cannot_hold_is_refused_before_anything_is_made(
    count: int, length: int, regions: int, fault: str
) -> None:
    keys = {f"r-{number}": KEY for number in range(regions)}
    arns = secret_arns(count, length)
    with pytest.raises(ValueError, match=fault):
        made(lambda: ReaderRole("r", {**ROLE_ARGS, "secret_arns": arns, "replica_key_arns": keys}))
