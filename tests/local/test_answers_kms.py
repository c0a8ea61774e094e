"""KMS answers what was recorded from AWS, or what its documentation says."""
# ruff: noqa: PLR0913, PLR0917 (arguments are fixtures, and boto3's clients come untyped)

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.local.reference import Refusal, assert_refused

REGION = "us-east-1"
KMS = "localstack kms/test_kms.py::TestKMS"
API = "https://docs.aws.amazon.com/kms/latest/APIReference/API"
STATES = "https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html"
UNKNOWN = "d3b95762-d3b9-d3b9-d3b9-d3b95762d3b9"
INCORRECT = "The key ID in the request does not identify a CMK that can perform this operation."

Make = Callable[..., Any]


def tags(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in pairs]


REFUSALS = [
    Refusal(
        "DescribeKey",
        {"KeyId": UNKNOWN},
        "NotFoundException",
        f"Key 'arn:aws:kms:us-east-1:<owner>:key/{UNKNOWN}' does not exist",
        f"{KMS}::test_get_key_does_not_exist",
    ),
    Refusal(
        "DescribeKey",
        {"KeyId": "fake-key-id"},
        "NotFoundException",
        "Invalid keyId 'fake-key-id'",
        f"{KMS}::test_get_key_invalid_uuid",
    ),
    Refusal(
        "DescribeKey",
        {"KeyId": "134f2428cec14b25a1ae9048164dba47"},
        "NotFoundException",
        "Invalid keyId '134f2428cec14b25a1ae9048164dba47'",
        f"{KMS}::test_get_key_invalid_uuid",
    ),
    Refusal(
        "DescribeKey",
        {"KeyId": f"arn:aws:kms:ap-southeast-1:<owner>:key/{UNKNOWN}"},
        "NotFoundException",
        "Invalid arn ap-southeast-1",
        f"{KMS}::test_get_key_in_different_region",
    ),
    Refusal(
        "CreateAlias",
        {"AliasName": "12345", "TargetKeyId": "<key>"},
        "ValidationException",
        'Alias must start with the prefix "alias/". Please see '
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        f"{KMS}::test_create_alias",
    ),
    Refusal(
        "CreateAlias",
        {"AliasName": "alias/aws/mine", "TargetKeyId": "<key>"},
        "NotAuthorizedException",
        None,
        f"{API}_CreateAlias.html",
    ),
    *(
        Refusal(
            "CreateKey",
            {"Tags": tags((key, "value"))},
            "TagException",
            "Tags beginning with aws: are reserved",
            f"{KMS}::test_create_key_with_invalid_tag_key",
        )
        for key in ("aws:key1", "AWS:key1")
    ),
    Refusal(
        "TagResource",
        {"KeyId": "<key>", "Tags": tags(("aws:key1", "value"))},
        "TagException",
        "Tags beginning with aws: are reserved",
        f"{KMS}::test_tag_existing_key_with_invalid_tag_key",
    ),
    Refusal(
        "CreateKey",
        {"Tags": tags(("twice", "1"), ("twice", "2"))},
        "TagException",
        "Duplicate tag keys",
        f"{KMS}::test_tag_key_with_duplicate_tag_keys_raises_error",
    ),
    Refusal(
        "CreateKey",
        {"Tags": tags(*((f"tag{number}", "") for number in range(51)))},
        "TagException",
        "Too many tags",
        f"{KMS}::test_create_key_with_too_many_tags_raises_error",
    ),
    *(
        Refusal(
            "Encrypt",
            {"KeyId": "<key>", "Plaintext": plaintext},
            "ValidationException",
            f"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
            f"Member must have length {rule}",
            "https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html",
        )
        for plaintext, rule in (
            (b"", "greater than or equal to 1"),
            (b"x" * 4097, "less than or equal to 4096"),
        )
    ),
    Refusal(
        "Encrypt",
        {"KeyId": "<signing>", "Plaintext": b"text", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"},
        "InvalidKeyUsageException",
        "<signing> key usage is SIGN_VERIFY which is not valid for Encrypt.",
        f"{KMS}::test_error_messaging_for_invalid_keys",
    ),
    Refusal(
        "Decrypt",
        {"KeyId": "<signing>", "CiphertextBlob": b"some important message"},
        "IncorrectKeyException",
        INCORRECT,
        f"{KMS}::test_error_messaging_for_invalid_keys",
    ),
    Refusal(
        "CancelKeyDeletion",
        {"KeyId": "<key>"},
        "KMSInvalidStateException",
        None,
        f"{API}_CancelKeyDeletion.html",
    ),
    Refusal(
        "GetKeyPolicy",
        {"KeyId": "<key>", "PolicyName": "other"},
        "NotFoundException",
        None,
        f"{API}_GetKeyPolicy.html",
    ),
    Refusal(
        "GenerateDataKey",
        {"KeyId": "<key>"},
        "ValidationException",
        None,
        f"{API}_GenerateDataKey.html",
    ),
    Refusal(
        "GenerateDataKey",
        {"KeyId": "<key>", "KeySpec": "AES_256", "NumberOfBytes": 32},
        "ValidationException",
        None,
        f"{API}_GenerateDataKey.html",
    ),
    *(
        Refusal(
            operation,
            {"KeyId": "alias/aws/ssm"},
            "NotFoundException",
            None,
            f"{API}_{operation}.html",
        )
        for operation in ("ScheduleKeyDeletion", "EnableKeyRotation", "GetKeyRotationStatus")
    ),
    *(
        Refusal("RotateKeyOnDemand", {"KeyId": f"<{key}>"}, code, text, f"{KMS}::{test}")
        for key, code, text, test in (
            (
                "disabled",
                "DisabledException",
                "<disabled> is disabled.",
                "test_rotate_key_on_demand_raises_error_given_key_is_disabled",
            ),
            (
                "missing",
                "NotFoundException",
                "Key '<missing>' does not exist",
                "test_rotate_key_on_demand_raises_error_given_key_that_does_not_exist",
            ),
            (
                "signing",
                "UnsupportedOperationException",
                "",
                "test_rotate_key_on_demand_raises_error_given_non_symmetric_key",
            ),
            (
                "external",
                "UnsupportedOperationException",
                "<external> origin is EXTERNAL which is not valid for this operation.",
                "test_rotate_key_on_demand_raises_error_given_key_with_imported_key_material",
            ),
        )
    ),
    Refusal(
        "EnableKeyRotation",
        {"KeyId": "<disabled>"},
        "DisabledException",
        "<disabled> is disabled.",
        STATES,
    ),
    *(
        Refusal(
            operation, others | {"KeyId": "<leaving>"}, "KMSInvalidStateException", text, source
        )
        for operation, others, text, source in (
            ("ScheduleKeyDeletion", {}, None, f"{KMS}::test_cant_delete_deleted_key"),
            ("EnableKey", {}, "<leaving> is pending deletion.", STATES),
            ("DisableKey", {}, "<leaving> is pending deletion.", STATES),
            ("EnableKeyRotation", {}, "<leaving> is pending deletion.", STATES),
            ("RotateKeyOnDemand", {}, "<leaving> is pending deletion.", STATES),
            ("TagResource", {"Tags": tags(("a", "b"))}, None, STATES),
            ("UpdateKeyDescription", {"Description": "new"}, None, STATES),
        )
    ),
    Refusal(
        "CreateAlias",
        {"AliasName": "alias/leaving", "TargetKeyId": "<leaving>"},
        "KMSInvalidStateException",
        "<leaving> is pending deletion.",
        STATES,
    ),
]


@pytest.fixture(scope="module")
def kms(aws: EmbeddedAws) -> Any:
    return aws.client("kms", REGION)


@pytest.fixture(scope="module")
def keys(aws: EmbeddedAws, kms: Any) -> dict[str, str]:
    """Make a key of each kind that the table names; return their ARNs."""

    def arn(**options: str) -> str:
        return str(kms.create_key(**options)["KeyMetadata"]["Arn"])

    made = {
        "key": arn(),
        "disabled": arn(),
        "leaving": arn(),
        "external": arn(Origin="EXTERNAL"),
        "signing": arn(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY"),
        "missing": f"arn:aws:kms:{REGION}:{aws.account_id}:key/{UNKNOWN}",
    }
    kms.disable_key(KeyId=made["disabled"])
    kms.schedule_key_deletion(KeyId=made["leaving"])
    return made


@pytest.fixture
def key_id(kms: Any) -> str:
    return str(kms.create_key()["KeyMetadata"]["Arn"])


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_kms_refuses_as_aws_does(aws: EmbeddedAws, keys: dict[str, str], refusal: Refusal) -> None:
    assert_refused(aws, "kms", refusal, owner=aws.account_id, **keys)


def test_a_ciphertext_opens_only_unchanged_with_its_key_and_its_context(
    kms: Any, key_id: str
) -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors."""
    context = {"purpose": "test"}
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"text", EncryptionContext=context)[
        "CiphertextBlob"
    ]
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"text", key_id)

    other = kms.create_key()["KeyMetadata"]["KeyId"]
    with pytest.raises(kms.exceptions.IncorrectKeyException, match=INCORRECT):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, KeyId=other)
    for wrong in ({}, {"purpose": "other"}):
        # localstack kms/test_kms.py::TestKMS::test_encrypt_decrypt_encryption_context
        with pytest.raises(kms.exceptions.InvalidCiphertextException) as refused:
            kms.decrypt(CiphertextBlob=blob, EncryptionContext=wrong)
        assert refused.value.response["Error"]["Message"] == ""
    for position in range(len(blob)):
        changed = bytearray(blob)
        changed[position] ^= 1
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(CiphertextBlob=bytes(changed), EncryptionContext=context)


def test_data_keys_and_private_keys_are_sealed_in_the_same_way(kms: Any, key_id: str) -> None:
    data_key = kms.generate_data_key(KeyId=key_id, KeySpec="AES_128")
    pair = kms.generate_data_key_pair(KeyId=key_id, KeyPairSpec="ECC_NIST_P256")
    hidden = kms.generate_data_key_without_plaintext(KeyId=key_id, NumberOfBytes=7)
    for blob, plaintext in (
        (data_key["CiphertextBlob"], data_key["Plaintext"]),
        (pair["PrivateKeyCiphertextBlob"], pair["PrivateKeyPlaintext"]),
        (hidden["CiphertextBlob"], None),
    ):
        opened = kms.decrypt(CiphertextBlob=blob)["Plaintext"]
        assert opened == plaintext or (plaintext is None and len(opened) == 7)
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(CiphertextBlob=blob[:-1] + bytes([blob[-1] ^ 1]))


def test_a_rotation_on_demand_keeps_what_was_encrypted(kms: Any, key_id: str) -> None:
    """localstack kms/test_kms.py::TestKMS::test_key_rotations_encryption_decryption."""
    before = kms.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    material = kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]

    assert kms.rotate_key_on_demand(KeyId=key_id)["KeyId"] == key_id

    opened = kms.decrypt(CiphertextBlob=before)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"text", material)
    after = kms.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    (rotation,) = kms.list_key_rotations(KeyId=key_id)["Rotations"]
    assert rotation["RotationType"] == "ON_DEMAND"
    assert kms.decrypt(CiphertextBlob=after)["KeyMaterialId"] == rotation["KeyMaterialId"]
    every = kms.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    states = [(each["KeyMaterialId"], each["KeyMaterialState"]) for each in every["Rotations"]]
    assert states == [(material, "NON_CURRENT"), (rotation["KeyMaterialId"], "CURRENT")]


def test_a_key_rotates_ten_times_on_demand(kms: Any, key_id: str) -> None:
    """localstack kms/test_kms.py::TestKMS::test_key_rotations_limits."""
    for _ in range(10):
        kms.rotate_key_on_demand(KeyId=key_id)
    with pytest.raises(kms.exceptions.LimitExceededException):
        kms.rotate_key_on_demand(KeyId=key_id)
    assert len(kms.list_key_rotations(KeyId=key_id)["Rotations"]) == 10


@pytest.mark.parametrize("days", [90, 180])
def test_the_rotation_status_tells_when_the_key_rotates(kms: Any, key_id: str, days: int) -> None:
    """localstack kms/test_kms.py::TestKMS::test_key_enable_rotation_status."""
    kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=days)
    status = kms.get_key_rotation_status(KeyId=key_id)
    del status["ResponseMetadata"]
    due = status.pop("NextRotationDate").timestamp()
    assert status == {"KeyId": key_id, "KeyRotationEnabled": True, "RotationPeriodInDays": days}
    assert abs(due - time.time() - days * 24 * 60 * 60) < 60

    kms.rotate_key_on_demand(KeyId=key_id)
    assert kms.get_key_rotation_status(KeyId=key_id)["NextRotationDate"].timestamp() == due
    kms.disable_key_rotation(KeyId=key_id)
    status = kms.get_key_rotation_status(KeyId=key_id)
    assert "NextRotationDate" not in status
    assert "RotationPeriodInDays" not in status


def test_a_ciphertext_moves_from_key_to_key(kms: Any, key_id: str) -> None:
    """localstack kms/test_kms.py::TestKMS::test_re_encrypt, ..._incorrect_source_key."""
    other = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"text", EncryptionContext={"a": "1"})
    request = {
        "CiphertextBlob": blob["CiphertextBlob"],
        "SourceEncryptionContext": {"a": "1"},
        "DestinationEncryptionContext": {"b": "2"},
        "DestinationKeyId": other,
    }
    moved = kms.re_encrypt(**request)
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key_id, other)
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"})
    assert opened["Plaintext"] == b"text"
    with pytest.raises(kms.exceptions.IncorrectKeyException, match=INCORRECT):
        kms.re_encrypt(**request, SourceKeyId=other)


@pytest.mark.parametrize("missing", ["ReEncryptFrom", "ReEncryptTo"])
def test_moving_a_ciphertext_needs_both_keys(
    kms: Any, key_id: str, make_role: Make, client_of: Make, missing: str
) -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html."""
    other = kms.create_key()["KeyMetadata"]["Arn"]
    request = {
        "CiphertextBlob": kms.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"],
        "DestinationKeyId": other,
    }
    needed = {"ReEncryptFrom": key_id, "ReEncryptTo": other}
    statements = {
        name: {"Action": f"kms:{name}", "Resource": resource} for name, resource in needed.items()
    }
    client_of("kms", make_role(*statements.values())).re_encrypt(**request)
    del statements[missing]
    with pytest.raises(
        ClientError, match=f"perform: kms:{missing} on resource: {needed[missing]}"
    ):
        client_of("kms", make_role(*statements.values())).re_encrypt(**request)


def test_a_key_policy_must_leave_the_caller_in(
    aws: EmbeddedAws, kms: Any, key_id: str, policy: Make, make_role: Make, client_of: Make
) -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html."""
    role = make_role({"Action": "kms:*"})
    out = policy({"Principal": {"AWS": role}, "Action": "kms:*"})
    message = "The new key policy will not allow you to update the key policy in the future."
    calls: list[Make] = [
        lambda: kms.create_key(Policy=out),
        lambda: kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=out),
    ]
    for call in calls:
        with pytest.raises(ClientError, match=f"MalformedPolicyDocument.*{message}"):
            call()
    kms.describe_key(KeyId=key_id)
    root = {"AWS": f"arn:aws:iam::{aws.account_id}:root"}
    for statement in (
        {"Principal": root, "Action": "kms:*"},
        {"Principal": root, "Action": "kms:Put*"},
        {"Principal": {"AWS": "*"}, "Action": "kms:PutKeyPolicy"},
    ):
        kms.create_key(Policy=policy(statement))
    client_of("kms", role).create_key(Policy=out)
    kms.create_key(Policy=out, BypassPolicyLockoutSafetyCheck=True)


def test_a_replica_can_be_used_a_while_after_it_was_made(aws: EmbeddedAws, kms: Any) -> None:
    """localstack kms/test_kms.py::TestKMS::test_replicate_key, test_replicate_replica_key...."""
    there = aws.client("kms", "ap-southeast-1")
    key_id = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    made = kms.replicate_key(KeyId=key_id, ReplicaRegion="ap-southeast-1")
    assert made["ReplicaKeyMetadata"]["KeyState"] == "Creating"
    assert made["ReplicaKeyMetadata"]["Enabled"] is False
    assert "ReplicaTags" not in made
    arn = made["ReplicaKeyMetadata"]["Arn"]
    with pytest.raises(there.exceptions.KMSInvalidStateException):
        there.encrypt(KeyId=arn, Plaintext=b"text")
    while there.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Creating":
        time.sleep(0.02)
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    assert there.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
    with pytest.raises(ClientError, match=f"{arn} is not a multi-region primary key."):
        there.replicate_key(KeyId=arn, ReplicaRegion="eu-west-1")


def test_a_description_has_the_account_and_no_empty_lists(
    aws: EmbeddedAws, keys: dict[str, str], kms: Any
) -> None:
    """localstack kms/test_kms.py::TestKMS::test_create_key, test_import_key_asymmetric."""
    described = {
        name: kms.describe_key(KeyId=keys[name])["KeyMetadata"] for name in ("key", "signing")
    }
    assert {each["AWSAccountId"] for each in described.values()} == {aws.account_id}
    assert "SigningAlgorithms" not in described["key"]
    assert "EncryptionAlgorithms" not in described["signing"]


@pytest.mark.parametrize("service", ["secretsmanager", "ssm"])
def test_the_key_of_a_service_is_described_by_its_alias(kms: Any, service: str) -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html."""
    described = kms.describe_key(KeyId=f"alias/aws/{service}")["KeyMetadata"]
    assert described["KeyManager"] == "AWS"
    again = kms.describe_key(KeyId=f"alias/aws/{service}")["KeyMetadata"]
    assert again["KeyId"] == described["KeyId"]


def test_a_cancelled_deletion_leaves_a_disabled_key_that_decrypts_again(
    kms: Any, key_id: str
) -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html."""
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    with pytest.raises(kms.exceptions.KMSInvalidStateException):
        kms.decrypt(CiphertextBlob=blob)
    kms.cancel_key_deletion(KeyId=key_id)
    metadata = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    assert (metadata["KeyState"], "DeletionDate" in metadata) == ("Disabled", False)
    kms.enable_key(KeyId=key_id)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
