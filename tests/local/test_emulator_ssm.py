# ruff: noqa: PLR0913, PLR0917 (boto3's clients come untyped; arguments are fixtures)
"""Parameter Store and the key of a SecureString, as AWS documents them.

https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws

REGION = "us-east-1"
VIA = {"kms:ViaService": f"ssm.{REGION}.amazonaws.com"}
PARAMETERS = {"Action": "ssm:*"}

Make = Callable[..., Any]


@pytest.fixture
def ssm(aws: EmbeddedAws) -> Any:
    return aws.client("ssm", REGION)


@pytest.fixture
def key_arn(aws: EmbeddedAws) -> str:
    return str(aws.client("kms", REGION).create_key()["KeyMetadata"]["Arn"])


@pytest.fixture
def secure(ssm: Any, key_arn: str, unique: str) -> str:
    """Make a SecureString under the key; return its ARN."""
    ssm.put_parameter(Name=f"/{unique}/a", Value="x", Type="SecureString", KeyId=key_arn)
    return str(ssm.get_parameter(Name=f"/{unique}/a")["Parameter"]["ARN"])


def _grant(action: str, key_arn: str, context: str, **other: str) -> dict[str, Any]:
    bound = VIA | {"kms:EncryptionContext:PARAMETER_ARN": context} | other
    return {"Action": action, "Resource": key_arn, "Condition": {"StringEquals": bound}}


def test_the_key_is_asked_for_every_decryption(
    ssm: Any, key_arn: str, secure: str, make_role: Make, client_of: Make, unique: str
) -> None:
    allowed = make_role(PARAMETERS, _grant("kms:Decrypt", key_arn, secure))
    others = [
        make_role(PARAMETERS),
        make_role(PARAMETERS, _grant("kms:Decrypt", key_arn, f"{secure}b")),
        make_role(
            PARAMETERS, _grant("kms:Decrypt", key_arn, secure, **{"kms:ViaService": "secrets"})
        ),
    ]
    name = {"Name": f"/{unique}/a"}
    reads: list[Make] = [
        lambda client: client.get_parameter(**name, WithDecryption=True),
        lambda client: client.get_parameters(Names=[name["Name"]], WithDecryption=True),
        lambda client: client.get_parameters_by_path(Path=f"/{unique}", WithDecryption=True),
        lambda client: client.get_parameter_history(**name, WithDecryption=True),
    ]
    for read in reads:
        read(client_of("ssm", allowed))
        for role in others:
            with pytest.raises(ClientError, match="The ciphertext refers to"):
                read(client_of("ssm", role))
    # Encrypted, it is anybody's who may read parameters.
    assert client_of("ssm", others[0]).get_parameter(**name)["Parameter"]["Value"] != "x"
    assert ssm.get_parameters(Names=["/none"], WithDecryption=True)["Parameters"] == []


@pytest.mark.usefixtures("secure")
def test_an_older_version_asks_for_the_key_it_was_written_with(
    aws: EmbeddedAws, ssm: Any, key_arn: str, unique: str
) -> None:
    other = aws.client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
    name = f"/{unique}/a"
    ssm.put_parameter(Name=name, Value="y", Type="SecureString", KeyId=other, Overwrite=True)
    aws.client("kms", REGION).disable_key(KeyId=key_arn)

    assert ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"] == "y"
    with pytest.raises(ssm.exceptions.InvalidKeyId, match="Disabled"):
        ssm.get_parameter(Name=f"{name}:1", WithDecryption=True)


@pytest.mark.parametrize(
    ("tier", "needed"), [("Standard", "kms:Encrypt"), ("Advanced", "kms:GenerateDataKey")]
)
def test_a_write_encrypts_with_the_key_or_a_data_key_of_it(
    aws: EmbeddedAws,
    key_arn: str,
    make_role: Make,
    client_of: Make,
    unique: str,
    tier: str,
    needed: str,
) -> None:
    arn = f"arn:aws:ssm:{REGION}:{aws.account_id}:parameter/{unique}"
    request = {"Name": f"/{unique}", "Value": "x", "Type": "SecureString", "Tier": tier}
    for action in {"kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"} - {needed}:
        writer = client_of("ssm", make_role(PARAMETERS, _grant(action, key_arn, arn)))
        with pytest.raises(ClientError, match="The ciphertext refers to"):
            writer.put_parameter(**request, KeyId=key_arn)
    writer = client_of("ssm", make_role(PARAMETERS, _grant(needed, key_arn, arn)))
    assert writer.put_parameter(**request, KeyId=key_arn)["Version"] == 1


def test_aws_own_key_and_plain_parameters_need_no_grant(
    make_role: Make, client_of: Make, unique: str
) -> None:
    client = client_of("ssm", make_role(PARAMETERS))
    for kind in ("String", "SecureString"):
        client.put_parameter(Name=f"/{unique}/{kind}", Value="x", Type=kind)
        read = client.get_parameter(Name=f"/{unique}/{kind}", WithDecryption=True)
        assert read["Parameter"]["Value"] == "x"


def test_a_key_that_is_not_there_is_refused(ssm: Any, unique: str) -> None:
    with pytest.raises(ssm.exceptions.InvalidKeyId):
        ssm.put_parameter(Name=unique, Value="x", Type="SecureString", KeyId="alias/none")


def test_tags_at_creation_need_the_grant_to_tag(
    make_role: Make, client_of: Make, unique: str
) -> None:
    request = {"Name": unique, "Value": "x", "Type": "String"}
    client = client_of("ssm", make_role({"Action": ["ssm:PutParameter", "ssm:GetParameter"]}))
    with pytest.raises(ClientError, match="AddTagsToResource"):
        client.put_parameter(**request, Tags=[{"Key": "a", "Value": "b"}])
    client.put_parameter(**request)


@pytest.mark.parametrize("kind", ["String", "SecureString"])
def test_a_value_that_names_another_parameter_is_refused(ssm: Any, unique: str, kind: str) -> None:
    for value in ("{{ssm:other}}", "a {{\n}} b", "{{}}"):
        with pytest.raises(ClientError, match=r"ValidationException.*can't nest another") as error:
            ssm.put_parameter(Name=unique, Value=value, Type=kind)
        assert "ssm:other" not in str(error.value)
    ssm.put_parameter(Name=unique, Value="{a}} {b}", Type=kind)
