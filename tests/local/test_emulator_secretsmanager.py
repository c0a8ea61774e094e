# ruff: noqa: PLR0913, PLR0917 (boto3's clients come untyped; arguments are fixtures)
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

REGION = "us-east-1"
VIA = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
SECRETS = {"Action": "secretsmanager:*"}

Make = Callable[..., Any]


def _token() -> str:
    return str(uuid.uuid4())


@pytest.fixture
def secrets(aws: EmbeddedAws) -> Any:
    return aws.client("secretsmanager", REGION)


@pytest.fixture
def key_arn(aws: EmbeddedAws) -> str:
    return str(aws.client("kms", REGION).create_key()["KeyMetadata"]["Arn"])


def _current(secrets: Any, name: str) -> Any:
    return secrets.get_secret_value(SecretId=name)["SecretString"]


def test_a_secret_without_a_value_has_no_version(secrets: Any, unique: str) -> None:
    created = secrets.create_secret(Name=unique)

    assert "VersionId" not in created
    assert secrets.list_secret_version_ids(SecretId=unique)["Versions"] == []
    with pytest.raises(secrets.exceptions.ResourceNotFoundException, match="AWSCURRENT"):
        secrets.get_secret_value(SecretId=unique)
    secrets.put_secret_value(SecretId=unique, SecretString="first")
    assert _current(secrets, unique) == "first"


def test_the_arn_ends_in_six_letters_and_digits_nobody_can_guess(
    secrets: Any, unique: str
) -> None:
    arns = [secrets.create_secret(Name=f"{unique}-{n}")["ARN"] for n in range(8)]

    suffixes = [re.fullmatch(r".*:secret:.*-([A-Za-z0-9]{6})", arn) for arn in arns]
    assert all(suffixes)
    # Hexadecimal digits only, eight times over, is one chance in 10^27.
    assert re.search("[G-Zg-z]", "".join(match[1] for match in suffixes if match))


def test_a_name_in_its_recovery_window_says_so(secrets: Any, unique: str) -> None:
    secrets.create_secret(Name=unique)
    secrets.delete_secret(SecretId=unique, RecoveryWindowInDays=7)
    with pytest.raises(ClientError, match=r"InvalidRequest.*scheduled\s+for\s+deletion"):
        secrets.create_secret(Name=unique)
    secrets.restore_secret(SecretId=unique)
    with pytest.raises(ClientError, match="ResourceExists"):
        secrets.create_secret(Name=unique)


def test_creation_repeated_with_its_token_is_ignored(secrets: Any, unique: str) -> None:
    request = {"Name": unique, "ClientRequestToken": _token(), "SecretString": "a"}
    first = secrets.create_secret(**request)

    assert first["VersionId"] == request["ClientRequestToken"]
    assert secrets.create_secret(**request)["ARN"] == first["ARN"]
    for other in ({"SecretString": "b"}, {"ClientRequestToken": _token()}):
        with pytest.raises(secrets.exceptions.ResourceExistsException):
            secrets.create_secret(**request | other)
    assert _current(secrets, unique) == "a"


@pytest.mark.parametrize("operation", ["put_secret_value", "update_secret"])
def test_a_write_repeated_with_its_token_is_ignored(
    secrets: Any, unique: str, operation: str
) -> None:
    secrets.create_secret(Name=unique, SecretString="a")
    write, token = getattr(secrets, operation), _token()
    request = {"SecretId": unique, "SecretString": "b", "ClientRequestToken": token}

    assert write(**request)["VersionId"] == token
    assert write(**request)["VersionId"] == token
    with pytest.raises(secrets.exceptions.ResourceExistsException, match=token):
        write(**request | {"SecretString": "c"})
    assert _current(secrets, unique) == "b"
    previous = secrets.get_secret_value(SecretId=unique, VersionStage="AWSPREVIOUS")
    assert previous["SecretString"] == "a"


def test_an_update_with_a_token_changes_the_description_too(secrets: Any, unique: str) -> None:
    secrets.create_secret(Name=unique, SecretString="a")

    secrets.update_secret(
        SecretId=unique, Description="new", SecretString="b", ClientRequestToken=_token()
    )

    assert secrets.describe_secret(SecretId=unique)["Description"] == "new"
    assert _current(secrets, unique) == "b"


def test_a_version_id_with_a_stage_of_another_version_is_refused(
    secrets: Any, unique: str
) -> None:
    old = secrets.create_secret(Name=unique, SecretString="a")["VersionId"]
    secrets.put_secret_value(SecretId=unique, SecretString="b")

    both = {"SecretId": unique, "VersionId": old}
    assert secrets.get_secret_value(**both, VersionStage="AWSPREVIOUS")["SecretString"] == "a"
    with pytest.raises(secrets.exceptions.InvalidRequestException, match="not associated"):
        secrets.get_secret_value(**both, VersionStage="AWSCURRENT")


@pytest.mark.parametrize("value", ["SecretString", "SecretBinary"])
def test_a_value_has_at_most_64_kib(secrets: Any, unique: str, value: str) -> None:
    most: Any = "x" * 65_536 if value == "SecretString" else b"x" * 65_536
    secrets.create_secret(Name=unique, **{value: most})

    too_much = {value: most + most[:1]}
    writes: list[Make] = [
        lambda: secrets.create_secret(Name=f"{unique}-more", **too_much),
        lambda: secrets.put_secret_value(SecretId=unique, **too_much),
        lambda: secrets.update_secret(SecretId=unique, Description="new", **too_much),
    ]
    for write in writes:
        with pytest.raises(ClientError, match="length less than or equal to 65536") as refused:
            write()
        assert "xxx" not in str(refused.value)
    assert "Description" not in secrets.describe_secret(SecretId=unique)


@pytest.mark.parametrize("labels", [["AWSPENDING"], ["OWN", "MORE"]])
def test_the_first_version_is_current_whatever_labels_are_asked_for(
    secrets: Any, unique: str, labels: list[str]
) -> None:
    secrets.create_secret(Name=unique)
    put = {"SecretId": unique, "VersionStages": labels}
    first = secrets.put_secret_value(SecretString="a", **put)
    assert sorted(first["VersionStages"]) == sorted(["AWSCURRENT", *labels])
    second = secrets.put_secret_value(SecretString="b", **put)
    assert sorted(second["VersionStages"]) == sorted(labels)
    assert _current(secrets, unique) == "a"


def test_a_value_is_text_or_bytes_and_never_both_or_neither(secrets: Any, unique: str) -> None:
    secrets.create_secret(Name=unique)
    both = {"SecretString": "a", "SecretBinary": b"a"}

    writes: list[Make] = [
        lambda: secrets.create_secret(Name=f"{unique}-more", **both),
        lambda: secrets.put_secret_value(SecretId=unique, **both),
        lambda: secrets.update_secret(SecretId=unique, **both),
        lambda: secrets.put_secret_value(SecretId=unique),
    ]
    for write in writes:
        with pytest.raises(secrets.exceptions.InvalidParameterException):
            write()


@pytest.mark.parametrize("name", ["a b", "a:b", "ä", "a" * 513])
def test_a_name_with_what_aws_does_not_allow_is_refused(secrets: Any, name: str) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        secrets.create_secret(Name=name)


def test_a_customer_key_is_asked_for_every_read(
    secrets: Any, key_arn: str, make_role: Make, client_of: Make, unique: str
) -> None:
    arn = secrets.create_secret(Name=unique, SecretString="a", KmsKeyId=key_arn)["ARN"]
    bound = VIA["StringEquals"] | {"kms:EncryptionContext:SecretARN": arn}
    key = {"Action": "kms:Decrypt", "Resource": key_arn}
    allowed = make_role(SECRETS, key | {"Condition": {"StringEquals": bound}})
    elsewhere = make_role(
        SECRETS, key | {"Condition": {"StringEquals": bound | {"kms:ViaService": "ssm"}}}
    )

    assert _current(client_of("secretsmanager", allowed), unique) == "a"
    for role in (make_role(SECRETS), elsewhere):
        reader = client_of("secretsmanager", role)
        with pytest.raises(ClientError, match="Access to KMS is not allowed"):
            reader.get_secret_value(SecretId=unique)
        batch = reader.batch_get_secret_value(SecretIdList=[unique])
        assert batch["SecretValues"] == []
        assert batch["Errors"][0]["ErrorCode"] == "AccessDeniedException"


def test_the_key_policy_alone_can_keep_a_reader_out(
    aws: EmbeddedAws,
    secrets: Any,
    key_arn: str,
    make_role: Make,
    client_of: Make,
    policy: Make,
    unique: str,
) -> None:
    secrets.create_secret(Name=unique, SecretString="a", KmsKeyId=key_arn)
    reader = client_of("secretsmanager", make_role(SECRETS, {"Action": "kms:*"}))
    assert _current(reader, unique) == "a"

    admin = {"AWS": f"arn:aws:iam::{aws.account_id}:user/admin"}
    aws.client("kms", REGION).put_key_policy(
        KeyId=key_arn, PolicyName="default", Policy=policy({"Principal": admin, "Action": "kms:*"})
    )

    with pytest.raises(ClientError, match="Access to KMS is not allowed"):
        reader.get_secret_value(SecretId=unique)


@pytest.mark.parametrize("missing", ["kms:Decrypt", "kms:GenerateDataKey"])
def test_a_write_needs_both_to_decrypt_and_to_generate_a_data_key(
    secrets: Any, key_arn: str, make_role: Make, client_of: Make, unique: str, missing: str
) -> None:
    secrets.create_secret(Name=unique, SecretString="a", KmsKeyId=key_arn)
    needed = {"kms:Decrypt", "kms:GenerateDataKey"}

    def write(*actions: str) -> None:
        key = {"Action": list(actions), "Resource": key_arn, "Condition": VIA}
        writer = client_of("secretsmanager", make_role(SECRETS, key))
        new = f"{unique}-{uuid.uuid4()}"
        operations: list[Make] = [
            lambda: writer.create_secret(Name=new, SecretString="b", KmsKeyId=key_arn),
            lambda: writer.create_secret(Name=f"{new}-bare", KmsKeyId=key_arn),
            lambda: writer.put_secret_value(SecretId=unique, SecretString="b"),
            lambda: writer.update_secret(SecretId=unique, SecretString="b"),
        ]
        for operation in operations:
            if missing in actions:
                operation()
            else:
                with pytest.raises(ClientError, match="Access to KMS is not allowed"):
                    operation()
        names = {secret["Name"] for secret in secrets.list_secrets()["SecretList"]}
        assert missing in actions or names.isdisjoint({new, f"{new}-bare"})

    write(*needed)
    write(*needed - {missing})


def test_a_secret_can_be_created_under_a_condition_on_its_own_arn(
    aws: EmbeddedAws, key_arn: str, make_role: Make, client_of: Make, unique: str
) -> None:
    arn = f"arn:aws:secretsmanager:{REGION}:{aws.account_id}:secret:{unique}-??????"
    condition = {"StringLike": {"kms:EncryptionContext:SecretARN": arn}}
    role = make_role(SECRETS, {"Action": "kms:*", "Resource": key_arn, "Condition": condition})
    writer = client_of("secretsmanager", role)

    writer.create_secret(Name=unique, SecretString="a", KmsKeyId=key_arn)

    with pytest.raises(ClientError, match="Access to KMS is not allowed"):
        writer.create_secret(Name=f"{unique}-other", SecretString="a", KmsKeyId=key_arn)


@pytest.mark.parametrize("ended", ["disable_key", "schedule_key_deletion"])
def test_a_key_out_of_service_neither_reads_nor_writes(
    aws: EmbeddedAws, secrets: Any, key_arn: str, unique: str, ended: str
) -> None:
    secrets.create_secret(Name=unique, SecretString="a", KmsKeyId=key_arn)
    getattr(aws.client("kms", REGION), ended)(KeyId=key_arn)

    with pytest.raises(secrets.exceptions.DecryptionFailure):
        secrets.get_secret_value(SecretId=unique)
    writes: list[Make] = [
        lambda: secrets.put_secret_value(SecretId=unique, SecretString="b"),
        lambda: secrets.create_secret(Name=f"{unique}-2", SecretString="b", KmsKeyId=key_arn),
    ]
    for write in writes:
        with pytest.raises(secrets.exceptions.EncryptionFailure):
            write()


def test_a_change_of_key_needs_the_old_key_and_the_new_one(
    aws: EmbeddedAws, secrets: Any, key_arn: str, make_role: Make, client_of: Make, unique: str
) -> None:
    new_key = aws.client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
    secrets.create_secret(Name=unique, SecretString="a", KmsKeyId=key_arn)
    for key in (key_arn, new_key):
        role = make_role(SECRETS, {"Action": "kms:*", "Resource": key})
        with pytest.raises(ClientError, match="Access to KMS is not allowed"):
            client_of("secretsmanager", role).update_secret(SecretId=unique, KmsKeyId=new_key)

    role = make_role(SECRETS, {"Action": "kms:*", "Resource": [key_arn, new_key]})
    client_of("secretsmanager", role).update_secret(SecretId=unique, KmsKeyId=new_key)

    assert secrets.describe_secret(SecretId=unique)["KmsKeyId"] == new_key


def test_a_version_gets_every_label_that_it_was_put_with(secrets: Any, unique: str) -> None:
    def labels(version: str) -> list[str]:
        found = secrets.describe_secret(SecretId=unique)["VersionIdsToStages"]
        return sorted(found.get(version, []))

    def put(value: str, token: str) -> str:
        answer = secrets.put_secret_value(
            SecretId=unique,
            SecretString=value,
            ClientRequestToken=token,
            VersionStages=["AWSCURRENT", "BLUE"],
        )
        assert sorted(answer["VersionStages"]) == labels(answer["VersionId"])
        return str(answer["VersionId"])

    secrets.create_secret(Name=unique)
    token = _token()
    first = put("one", token)
    assert labels(first) == ["AWSCURRENT", "BLUE"]
    second = put("two", _token())
    assert (labels(first), labels(second)) == (["AWSPREVIOUS"], ["AWSCURRENT", "BLUE"])
    assert put("one", token) == first  # repeated, so ignored
    assert (labels(first), labels(second)) == (["AWSPREVIOUS"], ["AWSCURRENT", "BLUE"])


def test_the_policy_of_a_deleted_secret_is_out_of_reach(
    secrets: Any, policy: Make, unique: str
) -> None:
    secrets.create_secret(Name=unique)
    document = policy({"Action": "secretsmanager:GetSecretValue", "Principal": {"AWS": "*"}})
    secrets.put_resource_policy(SecretId=unique, ResourcePolicy=document)
    secrets.delete_secret(SecretId=unique)

    calls: list[Make] = [
        lambda: secrets.get_resource_policy(SecretId=unique),
        lambda: secrets.put_resource_policy(SecretId=unique, ResourcePolicy=document),
        lambda: secrets.delete_resource_policy(SecretId=unique),
    ]
    for call in calls:
        with pytest.raises(
            secrets.exceptions.InvalidRequestException, match="marked for deletion"
        ):
            call()
    secrets.restore_secret(SecretId=unique)
    assert secrets.get_resource_policy(SecretId=unique)["ResourcePolicy"] == document
