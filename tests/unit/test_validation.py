"""What a request's parameters are, and what of them violates the service's model."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import botocore.session
import pytest

from local.emulator.core.requests import Request
from local.emulator.validation.constraints import violations
from local.emulator.validation.deviations import DEVIATIONS, LIMITS
from local.emulator.validation.parameters import parse

SESSION = botocore.session.get_session()
FORM = {"content-type": "application/x-www-form-urlencoded"}


def operation(service: str, name: str) -> Any:
    return SESSION.get_service_model(service).operation_model(name)


def sentences(service: str, name: str, values: dict[str, Any]) -> list[str]:
    """Return the violations without the words that all of them have."""
    shape = operation(service, name).input_shape
    return [
        str(each).replace(" failed to satisfy constraint:", ":")
        for each in violations(shape, values)
    ]


def of_form(service: str, name: str, body: str) -> dict[str, Any]:
    request = Request("POST", "/", FORM, f"Action={name}&{body}".encode(), {})
    return parse(operation(service, name), request)


@pytest.mark.parametrize(
    ("service", "name", "body", "parameters"),
    [
        (
            "iam",
            "CreateRole",
            (
                "RoleName=r&MaxSessionDuration=3600&Tags.member.2.Key=b&Tags.member.10.Key=c"
                "&Tags.member.1.Key=a&Tags.member.1.Value="
            ),
            {
                "RoleName": "r",
                "MaxSessionDuration": 3600,
                "Tags": [{"Key": "a", "Value": ""}, {"Key": "b"}, {"Key": "c"}],
            },
        ),
        ("iam", "CreateRole", "Tags=", {"Tags": []}),
        ("iam", "CreateRole", "Tags=&Tags.member.1.Key=a", {"Tags": [{"Key": "a"}]}),
        ("iam", "CreateRole", "MaxSessionDuration=soon", {"MaxSessionDuration": "soon"}),
        (
            "sns",
            "CreateTopic",
            "Name=n&Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=d",
            {"Name": "n", "Attributes": {"DisplayName": "d"}},
        ),
        (
            "ec2",
            "DescribeVpcs",
            "VpcId.1=a&VpcId.2=b&Filter.1.Name=n&Filter.1.Value.1=v&DryRun=true",
            {
                "VpcIds": ["a", "b"],
                "Filters": [{"Name": "n", "Values": ["v"]}],
                "DryRun": "true",
            },
        ),
    ],
)
def test_the_parameters_of_a_form(
    service: str, name: str, body: str, parameters: dict[str, Any]
) -> None:
    assert of_form(service, name, body) == parameters


@pytest.mark.parametrize(
    ("service", "name", "line", "body", "parameters"),
    [
        (
            "lambda",
            "UntagResource",
            "DELETE /2017-03-31/tags/arn:aws:lambda?tagKeys=a&tagKeys=b",
            "",
            {"Resource": "arn:aws:lambda", "TagKeys": ["a", "b"]},
        ),
        (
            "lambda",
            "Invoke",
            "POST /2015-03-31/functions/f/invocations?Qualifier=1",
            "not JSON",
            {"FunctionName": "f", "Qualifier": "1", "Payload": b"not JSON"},
        ),
        (
            "lambda",
            "PutFunctionConcurrency",
            "PUT /2017-10-31/functions/f/concurrency",
            '{"ReservedConcurrentExecutions": 1, "FunctionName": "other", "Unknown": 1}',
            {"FunctionName": "f", "ReservedConcurrentExecutions": 1},
        ),
        ("s3", "GetObject", "GET /b/folder/key", "", {"Bucket": "b", "Key": "folder/key"}),
        (
            "s3",
            "DeleteObjects",
            "POST /b?delete",
            (
                '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>'
                "<Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>"
            ),
            {"Bucket": "b", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}], "Quiet": "true"}},
        ),
        (
            "s3",
            "PutBucketTagging",
            "PUT /b?tagging",
            "<Tagging><TagSet><Tag><Key>a</Key><Value/></Tag></TagSet></Tagging>",
            {"Bucket": "b", "Tagging": {"TagSet": [{"Key": "a", "Value": ""}]}},
        ),
    ],
)
def test_the_parameters_of_a_path_a_query_and_a_body(
    service: str, name: str, line: str, body: str, parameters: dict[str, Any]
) -> None:
    method, target = line.split(" ")
    path, _, query = target.partition("?")
    request = Request(method, path, {}, body.encode(), parse_qs(query, keep_blank_values=True))
    assert parse(operation(service, name), request) == parameters


def test_null_in_json_counts_as_missing() -> None:
    body = json.dumps({"KeyId": None, "Tags": [{"TagKey": "a", "TagValue": None}, None]})
    request = Request("POST", "/", {"x-amz-target": "T.TagResource"}, body.encode(), {})
    assert parse(operation("kms", "TagResource"), request) == {"Tags": [{"TagKey": "a"}]}


def test_a_pattern_is_matched_as_a_whole_and_as_java_matches_it() -> None:
    role = {"RoleArn": "arn:aws:iam::123456789012:role/r"}
    pattern = r"Member must satisfy regular expression pattern: [\w+=,.@-]*"
    for name, is_valid in (("a_1", True), ("a!", False), ("é", False), ("٣", False)):
        found = sentences("sts", "AssumeRole", role | {"RoleSessionName": f"x{name}"})
        assert found == ([] if is_valid else [f"Value 'x{name}' at 'roleSessionName': {pattern}"])
    for key, is_valid in (("größe", True), ("a\u2003b", True), ("a\tb", False), ("a!", False)):
        tags = {"RoleName": "r", "Tags": [{"Key": key, "Value": ""}]}
        assert (not sentences("iam", "TagRole", tags)) == is_valid


def test_a_blob_is_measured_in_bytes() -> None:
    most = b"p" * 4096
    for plaintext in (most, base64.b64encode(most).decode()):
        assert not sentences("kms", "Encrypt", {"KeyId": "k", "Plaintext": plaintext})
    for plaintext in (b"", most + b"p", base64.b64encode(most + b"p").decode()):
        (sentence,) = sentences("kms", "Encrypt", {"KeyId": "k", "Plaintext": plaintext})
        assert sentence.startswith("Value at 'plaintext': Member must have length")


def test_containers_are_quoted_as_java_writes_them() -> None:
    entry = {"Source": "s", "Resources": ["a", "b"]}
    (sentence,) = sentences("events", "PutEvents", {"Entries": [entry] * 11})
    assert sentence.startswith(
        "Value '[PutEventsRequestEntry(time=null, source=s, resources=[a, b], detailType=null, "
    )
    (sentence,) = sentences("logs", "TagLogGroup", {"logGroupName": "g", "tags": {"!": "v"}})
    assert sentence.startswith("Value '{!=v}' at 'tags': Map keys must satisfy constraint: [")


def test_a_number_in_text_that_is_none_is_left_to_the_service() -> None:
    role = {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": "soon"}
    assert not sentences("iam", "CreateRole", role)


def test_every_deviation_is_of_a_parameter_in_the_model() -> None:
    for service, rows in DEVIATIONS.items():
        for row in rows:
            names = row.operations or SESSION.get_service_model(service).operation_names
            assert any(_has(operation(service, name).input_shape, row.path) for name in names)
    for service, limits in LIMITS.items():
        for limit in limits:
            shape = operation(service, limit.operation).input_shape
            assert limit.characters < shape.members[limit.parameter].metadata["max"]


def _has(shape: Any, path: str) -> bool:
    members = shape.members if shape else {}
    return path in {name[:1].lower() + name[1:] for name in members}
