"""Parameter Store answers what was recorded from AWS, or what its documentation says."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.aws.layers import extension_layer_arn
from local.aws import EmbeddedAws
from tests.local.reference import Refusal, assert_refused

REGION = "us-east-1"
SSM = "localstack ssm/test_ssm.py::TestSSM"
API = "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API"
NAMES = (
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html"
)
PATTERN = "https://docs.aws.amazon.com/systems-manager/latest/userguide/param-create-cli.html"
# Measured by the project floci against AWS on 2026-09-28: its test
# SsmSecretsManagerReferenceIntegrationTest.
REFERENCES = "https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html"
PREFIX = "/aws/reference/secretsmanager/"
RULE = (
    'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it '
    "can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of "
    "letters, numbers and the following 3 symbols .-_"
)
NEW: dict[str, Any] = {"Name": "/new", "Value": "x", "Type": "String"}

Make = Callable[..., Any]

REFUSALS = [
    *(
        Refusal(
            "GetParameter",
            {"Name": name},
            "ValidationException",
            RULE,
            f"{SSM}::test_hierarchical_parameter",
        )
        for name in ("/param//b//c", "param/b/c")
    ),
    *(
        Refusal("PutParameter", NEW | wrong, code, text, source)
        for wrong, code, text, source in (
            (
                {"Name": "a/b"},
                "ValidationException",
                "Parameter name must be a fully qualified name.",
                NAMES,
            ),
            ({"Name": "/a b"}, "ValidationException", None, NAMES),
            ({"Name": "/a//b"}, "ValidationException", None, NAMES),
            ({"Name": "/a/b/"}, "ValidationException", None, NAMES),
            ({"Name": "/a" * 16}, "HierarchyLevelLimitExceededException", None, NAMES),
            ({"Value": ""}, "ValidationException", None, f"{API}_PutParameter.html"),
            ({"Value": "x" * 4097}, "ValidationException", None, f"{API}_PutParameter.html"),
            (
                {"Value": "x" * 8193, "Tier": "Advanced"},
                "ValidationException",
                None,
                f"{API}_PutParameter.html",
            ),
            ({"DataType": "weird"}, "ValidationException", None, f"{API}_PutParameter.html"),
            (
                {"Value": "12345", "AllowedPattern": r"\d{1,4}"},
                "ParameterPatternMismatchException",
                r"Parameter value, cannot be validated against allowedPattern: \d{1,4}",
                PATTERN,
            ),
            (
                {"AllowedPattern": "("},
                "InvalidAllowedPatternException",
                None,
                f"{API}_PutParameter.html",
            ),
        )
    ),
    *(
        Refusal(
            operation,
            {"ResourceType": "Parameter", "ResourceId": "/missing"} | more,
            "InvalidResourceId",
            None,
            f"{API}_{operation}.html",
        )
        for operation, more in (
            ("AddTagsToResource", {"Tags": [{"Key": "a", "Value": "b"}]}),
            ("RemoveTagsFromResource", {"TagKeys": ["a"]}),
            ("ListTagsForResource", {}),
        )
    ),
    Refusal(
        "UnlabelParameterVersion",
        {"Name": "/missing", "ParameterVersion": 1, "Labels": ["a"]},
        "ParameterNotFound",
        None,
        f"{API}_UnlabelParameterVersion.html",
    ),
    Refusal(
        "GetParameter",
        {"Name": f"{PREFIX}missing"},
        "ValidationException",
        "WithDecryption flag must be True for retrieving a Secret Manager secret.",
        REFERENCES,
    ),
    Refusal(
        "GetParameter",
        {"Name": f"{PREFIX}inexistent", "WithDecryption": True},
        "ParameterNotFound",
        "An error occurred (ParameterNotFound) when referencing Secrets Manager: "
        "Secret aws/reference/secretsmanager/inexistentnull not found.",
        f"{SSM}::test_get_inexistent_secret",
    ),
    *(
        Refusal(
            "GetParameter",
            {"Name": f"{PREFIX}{reference}"},
            "ValidationException",
            "Invalid parameter name. Please use correct syntax for referencing a version/label"
            "  <name>:<version/label>",
            REFERENCES,
        )
        for reference in (
            "a:AWSCURRENT:extra",
            "a:",
            "arn:aws:secretsmanager:us-east-1:1:secret:a",
        )
    ),
]


@pytest.fixture(scope="module")
def ssm(aws: EmbeddedAws) -> Any:
    return aws.client("ssm", REGION)


@pytest.fixture
def secrets(aws: EmbeddedAws) -> Any:
    return aws.client("secretsmanager", REGION)


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=[f"{number} {each}" for number, each in enumerate(REFUSALS)]
)
def test_parameter_store_refuses_as_aws_does(aws: EmbeddedAws, refusal: Refusal) -> None:
    assert_refused(aws, "ssm", refusal)


@pytest.mark.parametrize(("stored", "other"), [("{}", "/{}"), ("/{}", "{}")])
def test_a_slash_in_front_is_no_part_of_a_name(
    ssm: Any, unique: str, stored: str, other: str
) -> None:
    """localstack ssm/test_ssm.py::TestSSM::test_put_parameters."""
    stored, other = stored.format(unique), other.format(unique)
    ssm.put_parameter(Name=stored, Value="1", Type="SecureString")
    for name in (stored, other):
        read = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
        assert (read["Name"], read["Value"]) == (name, "1")
        (read,) = ssm.get_parameters(Names=[name], WithDecryption=True)["Parameters"]
        assert (read["Name"], read["Value"]) == (name, "1")
    ssm.put_parameter(Name=other, Value="2", Overwrite=True)
    assert ssm.get_parameter(Name=f"{stored}:2")["Parameter"]["Version"] == 2
    assert len(ssm.get_parameter_history(Name=other)["Parameters"]) == 2
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/")
    assert stored in {each["Name"] for page in pages for each in page["Parameters"]}
    ssm.delete_parameter(Name=other)
    assert ssm.get_parameters(Names=[stored, other])["InvalidParameters"] == [stored, other]


def test_a_secure_string_is_a_ciphertext_without_decryption(
    aws: EmbeddedAws, ssm: Any, unique: str
) -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html."""
    kms = aws.client("kms", REGION)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    for name, options in ((f"/{unique}/own", {}), (f"/{unique}/key", {"KeyId": key})):
        ssm.put_parameter(Name=name, Value="canary", Type="SecureString", **options)
        reads = [
            ssm.get_parameter(Name=name)["Parameter"],
            *ssm.get_parameters(Names=[name])["Parameters"],
            *ssm.get_parameter_history(Name=name)["Parameters"],
        ]
        for read in reads:
            assert b"canary" not in base64.b64decode(read["Value"])
            assert base64.b64encode(b"canary").decode() not in read["Value"]
    opened = kms.decrypt(
        CiphertextBlob=base64.b64decode(reads[0]["Value"]),
        EncryptionContext={"PARAMETER_ARN": ssm.get_parameter(Name=name)["Parameter"]["ARN"]},
    )
    assert opened["Plaintext"] == b"canary"


def test_a_reference_reads_a_secret(
    ssm: Any, secrets: Any, unique: str, make_role: Make, client_of: Make
) -> None:
    """localstack ssm/test_ssm.py::TestSSM::test_get_secret_parameter, and measured (see above)."""
    arn = secrets.create_secret(Name=unique, SecretString="first")["ARN"]
    first = secrets.get_secret_value(SecretId=unique)["VersionId"]
    secrets.put_secret_value(SecretId=unique, SecretString="second")
    name = PREFIX + unique

    read = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert (read["Name"], read["Value"], read["ARN"]) == (name, "second", arn)
    assert (read["Type"], read["Version"], "DataType" in read) == ("SecureString", 0, False)
    source = json.loads(read["SourceResult"])
    assert (source["name"], source["ARN"], source["secretString"]) == (unique, arn, "second")
    for selector in ("AWSPREVIOUS", first):
        read = ssm.get_parameter(Name=f"{name}:{selector}", WithDecryption=True)["Parameter"]
        assert (read["Value"], read["Selector"]) == ("first", f":{selector}")
    answer = ssm.get_parameters(
        Names=[name, f"{PREFIX}none", f"{name}:NONE", f"{name}:a:b"], WithDecryption=True
    )
    assert [each["Value"] for each in answer["Parameters"]] == ["second"]
    assert len(answer["InvalidParameters"]) == 3
    assert ssm.get_parameters(Names=[name])["InvalidParameters"] == [name]

    role = make_role({"Action": "ssm:*"})
    with pytest.raises(ClientError, match=r"AccessDenied.*secretsmanager:GetSecretValue"):
        client_of("ssm", role).get_parameter(Name=name, WithDecryption=True)
    secrets.delete_secret(SecretId=unique)
    with pytest.raises(ClientError, match=r"Validation.*Invalid Request to Secrets Manager"):
        ssm.get_parameter(Name=name, WithDecryption=True)


def test_policies_are_a_list(ssm: Any, unique: str) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterInlinePolicy.html."""
    policy = {
        "Type": "Expiration",
        "Version": "1.0",
        "Attributes": {"Timestamp": "2030-12-02T21:34:33.000Z"},
    }
    put = {"Value": "x", "Type": "String", "Policies": json.dumps([policy])}
    with pytest.raises(ClientError, match="ValidationException"):
        ssm.put_parameter(Name=f"/{unique}", **put)
    ssm.put_parameter(Name=f"/{unique}", Tier="Advanced", **put)
    pages = ssm.get_paginator("describe_parameters").paginate()
    described = {each["Name"]: each for page in pages for each in page["Parameters"]}
    (shown,) = described[f"/{unique}"]["Policies"]
    assert (shown["PolicyType"], json.loads(shown["PolicyText"])) == ("Expiration", policy)


def test_a_pattern_holds_for_later_versions(ssm: Any, unique: str) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/param-create-cli.html."""
    ssm.put_parameter(Name=unique, Value="100", Type="String", AllowedPattern=r"\d{1,4}")
    with pytest.raises(ssm.exceptions.ParameterPatternMismatchException):
        ssm.put_parameter(Name=unique, Value="My value", Overwrite=True)
    ssm.put_parameter(Name=unique, Value="200", Overwrite=True)


def test_parameters_are_filtered_by_tag_and_level(ssm: Any, unique: str) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html."""
    for name, tag in (("a", "blue"), ("b", "bluish"), ("deep/c", "red")):
        tags = [{"Key": unique, "Value": tag}]
        ssm.put_parameter(Name=f"/{unique}/{name}", Value="x", Type="String", Tags=tags)

    def found(**one: Any) -> str:
        described = ssm.describe_parameters(ParameterFilters=[one])["Parameters"]
        return " ".join(each["Name"].rpartition("/")[2] for each in described)

    tag = f"tag:{unique}"
    assert found(Key=tag) == "a b c"
    assert found(Key=tag, Values=["blue"]) == "a"
    assert found(Key=tag, Option="BeginsWith", Values=["blu"]) == "a b"
    assert found(Key=f"{tag}-other", Values=["blue"]) == ""
    assert found(Key="Path", Values=[f"/{unique}"]) == "a b"
    assert found(Key="Path", Option="Recursive", Values=[f"/{unique}"]) == "a b c"


def test_labels_come_and_go(ssm: Any, unique: str) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_LabelParameterVersion.html."""
    ssm.put_parameter(Name=unique, Value="1", Type="String")
    ssm.put_parameter(Name=unique, Value="2", Overwrite=True)
    labelled = ssm.label_parameter_version(
        Name=unique, ParameterVersion=1, Labels=["good", "aws-x", "1x", "SSMy"]
    )
    assert labelled["InvalidLabels"] == ["aws-x", "1x", "SSMy"]
    assert ssm.get_parameter(Name=f"{unique}:good")["Parameter"]["Value"] == "1"
    with pytest.raises(ssm.exceptions.ParameterVersionLabelLimitExceeded):
        ssm.label_parameter_version(
            Name=unique, ParameterVersion=1, Labels=[f"l{number}" for number in range(10)]
        )

    removed = ssm.unlabel_parameter_version(
        Name=unique, ParameterVersion=1, Labels=["good", "other"]
    )
    assert (removed["RemovedLabels"], removed["InvalidLabels"]) == (["good"], ["other"])
    with pytest.raises(ssm.exceptions.ParameterVersionNotFound):
        ssm.get_parameter(Name=f"{unique}:good")
    with pytest.raises(ssm.exceptions.ParameterVersionNotFound):
        ssm.unlabel_parameter_version(Name=unique, ParameterVersion=9, Labels=["good"])


def test_labels_filter_a_path(ssm: Any, unique: str) -> None:
    """localstack ssm/test_ssm.py::TestSSM::test_get_parameters_by_path_and_filter_by_labels."""
    for name in ("path", "other"):
        ssm.put_parameter(Name=f"/{unique}/{name}", Value="value", Type="String")
    ssm.label_parameter_version(Name=f"/{unique}/path", ParameterVersion=1, Labels=["latest"])
    listed = ssm.get_parameters_by_path(
        Path=f"/{unique}", ParameterFilters=[{"Key": "Label", "Values": ["latest"]}]
    )
    assert [each["Name"] for each in listed["Parameters"]] == [f"/{unique}/path"]


def test_an_advanced_parameter_stays_one(ssm: Any, unique: str) -> None:
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html."""
    ssm.put_parameter(Name=unique, Value="1", Type="String", Tier="Advanced")
    ssm.put_parameter(Name=unique, Value="x" * 8192, Overwrite=True)
    with pytest.raises(ClientError, match="You can't downgrade a parameter"):
        ssm.put_parameter(Name=unique, Value="1", Tier="Standard", Overwrite=True)


def test_a_type_can_change(ssm: Any, unique: str) -> None:
    """The AWS provider's acceptance test TestAccSSMParameter_updateType does so in place.

    https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ssm/parameter_test.go
    """
    ssm.put_parameter(Name=unique, Value="x", Type="SecureString")
    ssm.put_parameter(Name=unique, Value="y", Type="String", Overwrite=True)
    read = ssm.get_parameter(Name=unique)["Parameter"]
    assert (read["Type"], read["Value"]) == ("String", "y")


@pytest.mark.parametrize(("name", "architecture"), [("arm64", "arm64"), ("x86", "x86_64")])
def test_the_layer_of_the_extension_is_a_public_parameter(
    ssm: Any, name: str, architecture: str
) -> None:
    """https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html."""
    path = f"/aws/service/aws-parameters-and-secrets-lambda-extension/{name}/latest"
    read = ssm.get_parameter(Name=path)["Parameter"]
    assert read["Value"] == extension_layer_arn(REGION, architecture)
