"""Parameters: exact inputs, and grants that name exactly these."""

import json
from typing import Any, cast

import pulumi
import pytest

from infra import own_files
from infra.aws.limits import MANAGED_POLICY_CHARACTERS
from infra.aws.location import Location
from infra.components.encryption_key import EncryptionKey
from infra.components.parameter_store import Parameter, ParameterStore
from infra.components.reader_role import ReaderRole
from infra.components.secret_seeder import ParameterSeed, SecretSeeder
from infra.policies import parameters as parameter_policies
from infra.policies.iam import split_by_size
from local.engines.built_in import Registration
from tests.recording import by_type, made, only

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
ARN = "arn:aws:ssm:us-east-1:123456789012:parameter"
VIA = {"kms:ViaService": ["ssm.us-east-1.amazonaws.com"]}
TOKEN: ParameterSeed = {
    "name": "/p/s/api/token",
    "arn": f"{ARN}/p/s/api/token",
    "generate": {"length": 32},
}


def store(**parameters: Parameter) -> list[Registration]:
    return made(
        lambda: ParameterStore(
            "parameters",
            {
                "parameters": parameters,
                "key_arn": KEY,
                "partition": "aws",
                "region": "us-east-1",
                "account_id": "123456789012",
            },
        )
    )


def seeder(**seeds: ParameterSeed) -> list[Registration]:
    return made(
        lambda: SecretSeeder(
            "seeder",
            {
                "seeds": {},
                "parameters": {
                    seed["name"].removeprefix("/p/s/"): seed for seed in seeds.values()
                },
                "key_arn": KEY,
                "log_group_name": "/aws/lambda/p-s-seeder",
                "files": own_files.SEEDER,
                "handler": "seed.lambda_handler",
                "tags": {"Environment": "s"},
            },
        )
    )


def policy_of(registrations: list[Registration]) -> list[dict[str, Any]]:
    document = json.loads(only(registrations, "iam/policy:Policy").inputs["policy"])
    return cast("list[dict[str, Any]]", document["Statement"])


def test_a_plain_parameter_is_shown_and_under_no_key() -> None:
    level: Parameter = {"name": "/p/s/level", "type": "String", "value": "info"}
    parameter = only(store(level=level), "Parameter")
    assert parameter.inputs == {
        "name": "/p/s/level",
        "type": "String",
        "insecureValue": "info",
        "tier": "Standard",
    }
    assert not parameter.secret_inputs


def test_a_secure_value_is_secret_however_it_is_given() -> None:
    secure: Parameter = {"name": "/p/s/a", "type": "SecureString", "value": "s3cr3t"}
    parameter = only(store(a=secure), "Parameter")
    assert parameter.inputs == {
        "name": "/p/s/a",
        "type": "SecureString",
        "value": "s3cr3t",
        "keyId": KEY,
        "tier": "Standard",
    }
    assert parameter.secret_inputs == {"value"}


def test_a_secure_parameter_without_a_value_is_none_of_pulumis_and_has_its_arn() -> None:
    registered = store(a={"name": "/p/s/a/b", "type": "SecureString"})
    (own,) = [each for each in registered if each.type.startswith("lambda-secrets:index:")]
    assert not by_type(registered, "Parameter")
    assert own.registered_outputs == {
        "arns": {},
        "secure_arns": {"/p/s/a/b": f"{ARN}/p/s/a/b"},
    }


@pytest.mark.parametrize(
    ("parameter", "fault"),
    [
        ({"name": "/p/s/a", "type": "Text", "value": "x"}, "type must be one of String, "),
        ({"name": "/p/s/a", "type": "String", "value": "x", "tier": "Big"}, "tier must be one"),
        ({"name": "/p/s/a", "type": "StringList"}, "'a': a StringList needs a value"),
        (
            {"name": "p/s/a", "type": "String", "value": "x"},
            "name 'p/s/a' may contain only letters",
        ),
        (
            {"name": "/p//a", "type": "String", "value": "x"},
            "in levels separated by single slashes",
        ),
        ({"name": "/ssm-p/a", "type": "String", "value": "x"}, "starts with aws or ssm"),
        ({"name": "/a" * 16, "type": "String", "value": "x"}, "has more than 15 levels"),
        ({"name": "/" + "a" * 955, "type": "String", "value": "x"}, "longer than 955"),
    ],
)
def test_a_parameter_that_aws_would_refuse_is_refused(parameter: Parameter, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        store(a=parameter)


def test_the_reader_may_read_exactly_these_and_decrypt_only_what_is_encrypted() -> None:
    registered = made(
        lambda: ReaderRole(
            "reader",
            {
                "secret_arns": {},
                "key_arn": KEY,
                "parameter_arns": {"/p/s/level": f"{ARN}/p/s/level"},
                "secure_parameter_arns": {"/p/s/a/b": pulumi.Output.from_input(f"{ARN}/p/s/a/b")},
                "log_group_arn": "arn:aws:logs:us-east-1:123456789012:log-group:x",
            },
        )
    )
    plain, secure = (
        json.loads(each.inputs["policy"])["Statement"]
        for each in by_type(registered, "iam/policy:Policy")
    )
    read = {"Sid": "ReadParameters", "Effect": "Allow", "Action": "ssm:GetParameter"}
    assert plain == [{**read, "Resource": [f"{ARN}/p/s/level"]}]
    assert secure == [
        {**read, "Resource": [f"{ARN}/p/s/a/b"]},
        {
            "Sid": "DecryptParameters",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": KEY,
            "Condition": {
                "StringEquals": VIA,
                "StringLike": {"kms:EncryptionContext:PARAMETER_ARN": ["arn:*:parameter/p/s/a/b"]},
            },
        },
    ]


@pytest.mark.parametrize("count", [1, 60, 300])
def test_policies_of_many_parameters_stay_under_iams_limit(count: int) -> None:
    place = Location("aws-us-gov", "ap-southeast-1", "123456789012")
    key = "arn:aws-us-gov:kms:ap-southeast-1:123456789012:key/" + "0" * 36
    names = [f"/p/s/some/level/parameter-{number}" for number in range(count)]
    for part in split_by_size(names):
        arns = [parameter_policies.parameter_arn(place, name) for name in part]
        for document in (
            parameter_policies.read_parameters(arns, key),
            parameter_policies.read_secure_parameters(arns, key),
            parameter_policies.seed_parameters(arns, key),
        ):
            assert len(json.dumps(document, separators=(",", ":"))) <= MANAGED_POLICY_CHARACTERS


def test_secrets_and_parameters_together_are_held_to_what_a_role_takes() -> None:
    many = {f"/p/s/some/level/parameter-{number}": ARN for number in range(200)}
    with pytest.raises(ValueError, match=r"0 secrets and 400 parameters need 1\d policies"):
        made(
            lambda: ReaderRole(
                "reader",
                {
                    "secret_arns": {},
                    "key_arn": KEY,
                    "parameter_arns": many,
                    "secure_parameter_arns": many,
                    "log_group_arn": "arn:aws:logs:us-east-1:123456789012:log-group:x",
                },
            )
        )


def test_the_seeder_is_told_to_make_a_parameter_and_holds_no_value() -> None:
    invocation = only(seeder(token=TOKEN), "Invocation")
    assert invocation.name == "seeder-parameters/api/token"
    assert json.loads(invocation.inputs["input"]) == {
        "Parameter": {
            "Name": "/p/s/api/token",
            "Type": "SecureString",
            "KeyId": KEY,
            "Description": "",
            "Tier": "Standard",
            "Tags": [{"Key": "Environment", "Value": "s"}],
        },
        "Generate": {"length": 32},
    }


def test_the_seeder_may_make_exactly_these_parameters() -> None:
    seed, key, passwords = policy_of(seeder(token=TOKEN))
    assert seed["Action"] == ["ssm:AddTagsToResource", "ssm:GetParameter", "ssm:PutParameter"]
    assert seed["Resource"] == [TOKEN["arn"]]
    assert key["Action"] == ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
    assert key["Condition"] == {
        "StringEquals": VIA,
        "StringLike": {"kms:EncryptionContext:PARAMETER_ARN": ["arn:*:parameter/p/s/api/token"]},
    }
    assert passwords["Action"] == "secretsmanager:GetRandomPassword"


@pytest.mark.parametrize("parameters", [True, False])
def test_parameter_store_may_use_the_key_only_if_asked(parameters: bool) -> None:  # noqa: FBT001 (parametrized)
    key = only(
        made(
            lambda: EncryptionKey(
                "k",
                {
                    "description": "d",
                    "alias": "p/s",
                    "partition": "aws",
                    "region": "us-east-1",
                    "account_id": "123456789012",
                    "parameters": parameters,
                },
            )
        ),
        "kms/key:Key",
    )
    through = [
        each["Condition"]["StringEquals"]["kms:ViaService"]
        for each in json.loads(key.inputs["policy"])["Statement"]
        if "Condition" in each
    ]
    assert through == [
        ["secretsmanager.us-east-1.amazonaws.com"],
        *([VIA["kms:ViaService"]] if parameters else []),
    ]
