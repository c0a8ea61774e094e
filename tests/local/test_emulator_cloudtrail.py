import json
from collections.abc import Callable
from typing import Any

from local.aws import EmbeddedAws

REGION = "us-east-1"

Make = Callable[..., Any]

READ_TWICE = """
import boto3

def handler(event, context):
    client = boto3.client("secretsmanager")
    for _ in range(2):
        client.get_secret_value(SecretId=event)
"""


def test_the_trail_counts_the_reads_of_one_function(
    aws: EmbeddedAws, make_function: Make, invoke: Make, unique: str
) -> None:
    secrets = aws.client("secretsmanager", REGION)
    secrets.create_secret(Name=unique, SecretString="value")
    function = make_function(READ_TWICE, {"Action": "secretsmanager:GetSecretValue"})

    invoke(function, unique)
    secrets.get_secret_value(SecretId=unique)

    attributes = [{"AttributeKey": "EventName", "AttributeValue": "GetSecretValue"}]
    found = aws.client("cloudtrail", REGION).lookup_events(LookupAttributes=attributes)["Events"]
    events = [json.loads(event["CloudTrailEvent"]) for event in found if unique in str(event)]
    role = aws.client("lambda", REGION).get_function(FunctionName=function)["Configuration"][
        "Role"
    ]
    issuers = [
        event["userIdentity"].get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
        for event in events
    ]
    assert issuers.count(role) == 2
    assert [event["userIdentity"].get("userName") for event in events].count("admin") == 1
    assert [event["Username"] for event in found].count(function) == 2
