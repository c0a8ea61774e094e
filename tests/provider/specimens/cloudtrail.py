import json
from typing import Any

from tests.provider.specimen import REGION, Specimen, World
from tests.provider.specimens.s3 import bucket, key

NAMES = "specimen-trail", "another-trail"


def writing_role(world: World) -> str:
    """Return a role with which CloudTrail may write to any log group."""
    iam, name = world.client("iam"), "cloudtrail"
    principal = {"Service": "cloudtrail.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    writing = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    found = [each["Arn"] for each in iam.list_roles()["Roles"] if each["RoleName"] == name]
    if found:
        return str(found[0])
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=document(writing))
    return str(made["Role"]["Arn"])


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def log_group(world: World, name: str = "trail") -> str:
    logs = world.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
        logs.create_log_group(logGroupName=name)
    return f"arn:aws:logs:{REGION}:{world.account_id}:log-group:{name}:*"


SPECIMENS = [
    Specimen(
        "aws:cloudtrail/trail:Trail",
        lambda world: {
            "name": NAMES[0],
            "s3BucketName": bucket(world),
            "kmsKeyId": key(world),
            "enableLogFileValidation": True,
            "isMultiRegionTrail": True,
            "includeGlobalServiceEvents": True,
            "eventSelectors": [{"readWriteType": "WriteOnly"}],
            "cloudWatchLogsGroupArn": log_group(world),
            "cloudWatchLogsRoleArn": writing_role(world),
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"name": NAMES[1]},
            {"s3BucketName": bucket(world, "another")},
            {"kmsKeyId": None},
            {"enableLogFileValidation": False},
            {"enableLogging": False},
            {"isMultiRegionTrail": False},
            {"isOrganizationTrail": True},
            {"includeGlobalServiceEvents": False},
            {"cloudWatchLogsGroupArn": log_group(world, "other")},
            {"cloudWatchLogsGroupArn": None, "cloudWatchLogsRoleArn": None},
            {
                "eventSelectors": [
                    {"excludeManagementEventSources": ["kms.amazonaws.com"]},
                    {
                        "includeManagementEvents": False,
                        "dataResources": [
                            {"type": "AWS::S3::Object", "values": ["arn:aws:s3:::a-bucket/"]}
                        ],
                    },
                ]
            },
            {"eventSelectors": None},
            {"insightSelectors": [{"insightType": "ApiCallRateInsight"}]},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        not_changed={
            "advancedEventSelectors": "CloudTrail refuses to take them away; they have own tests"
        },
        taken="TrailAlreadyExistsException",
    ),
]
