"""Requests that no SDK has checked or written are validated, in each of AWS's protocols."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import cbor2
import pytest
from botocore.exceptions import ClientError

from local.aws import EmbeddedAws
from tests.local.reference import REGION, Answer, send

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CBOR = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
CLOUDWATCH = "/service/GraniteServiceVersion20100801/operation"
FUNCTIONS = "/2015-03-31/functions"
NULL = "Member must not be null"

Make = Callable[..., Any]


class Raw(NamedTuple):
    """A request as it is sent."""

    service: str
    line: str
    """The method, and the path with its query string."""
    headers: dict[str, str]
    body: str | bytes | dict[str, Any]
    """A dictionary is sent as JSON."""

    def send(self, aws: EmbeddedAws) -> Answer:
        method, path = self.line.split(" ")
        body = json.dumps(self.body) if isinstance(self.body, dict) else self.body
        return send(aws, self.service, body, self.headers, method=method, path=path)


def target(name: str) -> dict[str, str]:
    return {"X-Amz-Target": name, "Content-Type": "application/x-amz-json-1.1"}


@pytest.mark.parametrize(
    ("raw", "texts"),
    [
        pytest.param(
            Raw(
                "kms",
                "POST /",
                target("TrentService.TagResource"),
                {"KeyId": "key", "Tags": [{"TagKey": "a", "TagValue": "b"}, {"TagKey": "c"}]},
            ),
            [f"Value null at 'tags.2.member.tagValue' failed to satisfy constraint: {NULL}"],
            id="json",
        ),
        pytest.param(
            Raw(
                "secretsmanager",
                "POST /",
                target("secretsmanager.GetSecretValue"),
                "",
            ),
            [
                "ValidationException",
                f"Value null at 'secretId' failed to satisfy constraint: {NULL}",
            ],
            id="json-without-a-body",
        ),
        pytest.param(
            Raw(
                "iam",
                "POST /",
                FORM,
                "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument={}"
                "&Tags.member.1.Key=a&Tags.member.1.Value=b&Tags.member.2.Key=c",
            ),
            [
                "<Code>ValidationError</Code>",
                f"Value null at 'tags.2.member.value' failed to satisfy constraint: {NULL}",
            ],
            id="query",
        ),
        pytest.param(
            Raw(
                "iam",
                "GET /?Action=CreateRole&Version=2010-05-08&RoleName=r",
                {},
                "",
            ),
            [f"Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: {NULL}"],
            id="query-in-the-path",
        ),
        pytest.param(
            Raw(
                "sns",
                "POST /",
                FORM,
                "Action=Publish&Version=2010-03-31&TopicArn=arn&Message=m"
                "&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.StringValue=b",
            ),
            ["Value null at 'messageAttributes.a.member.dataType'"],
            id="query-with-a-map",
        ),
        pytest.param(
            Raw(
                "ec2",
                "POST /",
                FORM,
                "Action=CreateTags&Version=2016-11-15&Tag.1.Key=a",
            ),
            ["<Code>MissingParameter</Code>", "must contain the parameter Resources"],
            id="ec2",
        ),
        pytest.param(
            Raw(
                "lambda",
                f"POST {FUNCTIONS}",
                {"Content-Type": "application/json"},
                {
                    "FunctionName": "f",
                    "Code": {"S3Bucket": "bucket"},
                    "VpcConfig": {"SubnetIds": ["x"]},
                },
            ),
            [
                "2 validation errors detected: ",
                f"Value null at 'role' failed to satisfy constraint: {NULL}",
                "Value '[x]' at 'vpcConfig.subnetIds' failed to satisfy constraint: Member",
            ],
            id="rest-json",
        ),
        pytest.param(
            Raw(
                "lambda",
                f"GET {FUNCTIONS}/function/aliases?MaxItems=0",
                {},
                "",
            ),
            ["Value '0' at 'maxItems' failed to satisfy constraint: Member must have value"],
            id="rest-json-in-the-path",
        ),
        pytest.param(
            Raw(
                "lambda",
                f"POST {FUNCTIONS}/function/invocations",
                {"X-Amz-Invocation-Type": "Foo"},
                "not JSON, and not to be read as such",
            ),
            ["Value 'Foo' at 'invocationType' failed to satisfy constraint: Member must"],
            id="rest-json-in-a-header",
        ),
        pytest.param(
            Raw(
                "s3",
                "PUT /bucket?tagging",
                {"Content-Type": "application/xml"},
                "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
            ),
            ["<Code>MalformedXML</Code>"],
            id="rest-xml",
        ),
        pytest.param(
            Raw(
                "monitoring",
                f"POST {CLOUDWATCH}/SetAlarmState",
                CBOR,
                cbor2.dumps({"AlarmName": "a", "StateValue": "X", "StateReason": "r"}),
            ),
            ["ValidationError", "Value 'X' at 'stateValue' failed to satisfy constraint"],
            id="cbor",
        ),
        pytest.param(
            Raw(
                "monitoring",
                "POST /",
                target("GraniteServiceVersion20100801.SetAlarmState"),
                {"AlarmName": "a", "StateValue": "X", "StateReason": "r"},
            ),
            ["ValidationError", "Value 'X' at 'stateValue' failed to satisfy constraint"],
            id="cloudwatch-json",
        ),
        pytest.param(
            Raw(
                "monitoring",
                "POST /",
                FORM,
                "Action=SetAlarmState&Version=2010-08-01&AlarmName=a&StateValue=X&StateReason=r",
            ),
            ["ValidationError", "Value 'X' at 'stateValue' failed to satisfy constraint"],
            id="cloudwatch-query",
        ),
    ],
)
def test_a_violation_is_found_in_every_protocol(
    aws: EmbeddedAws, raw: Raw, texts: list[str]
) -> None:
    answer = raw.send(aws)
    assert answer.status == 400
    for text in texts:
        assert text in answer.body.decode(errors="replace")


@pytest.mark.parametrize(
    ("service", "name", "body"),
    [
        ("kms", "TrentService.DescribeKey", "{"),
        ("kms", "TrentService.DescribeKey", "[]"),
        ("kms", "TrentService.DescribeKey", '{"KeyId": 5}'),
        ("kms", "TrentService.TagResource", '{"KeyId": "k", "Tags": {"a": "b"}}'),
        ("ssm", "AmazonSSM.GetParameters", '{"Names": ["a", 5]}'),
        ("logs", "Logs_20140328.PutRetentionPolicy", '{"retentionInDays": "1"}'),
    ],
)
def test_a_value_of_another_type_is_refused(
    aws: EmbeddedAws, service: str, name: str, body: str
) -> None:
    answer = send(aws, service, body, target(name))
    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == "SerializationException"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (Raw("kms", "POST /", target("TrentService.Nope"), "{}"), "Nope of kms"),
        (Raw("iam", "POST /", FORM, "Action=Nope&Version=2010-05-08"), "Nope of iam"),
        (Raw("ec2", "POST /", FORM, "Action=Nope&Version=2016-11-15"), "Nope of ec2"),
        (Raw("monitoring", f"POST {CLOUDWATCH}/Nope", CBOR, b"\xa0"), "Nope of cloudwatch"),
        (Raw("monitoring", "POST /", FORM, "Action=Nope"), "Nope of cloudwatch"),
        (Raw("lambda", f"POST {FUNCTIONS}/f/nope", {}, ""), f"POST {FUNCTIONS}/f/nope of lambda"),
        (Raw("s3", "POST /bucket?nope", {}, ""), "POST /bucket of s3"),
    ],
)
def test_an_unknown_operation_is_refused_by_its_name(
    aws: EmbeddedAws, raw: Raw, name: str
) -> None:
    answer = raw.send(aws)
    assert answer.status == 501
    assert f"does not offer {name}" in answer.body.decode(errors="replace")


def test_the_signature_and_the_permissions_are_checked_first(
    aws: EmbeddedAws, make_role: Make, client_of: Make
) -> None:
    client = client_of("kms", make_role({"Action": "sts:GetCallerIdentity"}))
    with pytest.raises(ClientError) as denied:
        client.generate_random(NumberOfBytes=1025)
    assert denied.value.response["Error"]["Code"] == "AccessDeniedException"
    forged = EmbeddedAws.client_as(
        aws, "kms", REGION, {**aws.credentials, "SecretAccessKey": "forged"}
    )
    with pytest.raises(ClientError) as unsigned:
        forged.generate_random(NumberOfBytes=1025)
    assert unsigned.value.response["Error"]["Code"] == "InvalidSignatureException"
