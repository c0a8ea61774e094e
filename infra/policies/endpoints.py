"""Policies of VPC endpoints: what may pass, whoever asks. Pure functions over plain strings.

An endpoint's policy grants nothing; it bounds what roles that are granted something may do through
the endpoint, and whose roles those may be.
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

from collections.abc import Sequence
from typing import Any

from ..aws.place import Place
from .iam import MAKE_PASSWORDS, Policy, policy_document
from .parameters import parameter_arn


def secretsmanager(place: Place, secret_prefix: str, existing_arns: Sequence[str] = ()) -> Policy:
    """Read and rotate secrets whose full names start so, read existing ones, make passwords.

    The account that is asked for is the caller's; an existing secret may be of any.
    """
    existing = {
        "Sid": "ExistingSecrets",
        "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "Resource": sorted(existing_arns),
    }
    return _policy(
        place,
        {
            "Sid": "ThisEnvironmentsSecrets",
            "Action": [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:ListSecretVersionIds",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            "Resource": place.arn("secretsmanager", f"secret:{secret_prefix}*"),
        },
        *([existing] if existing_arns else []),
        MAKE_PASSWORDS,
    )


def ssm(place: Place, parameter_prefix: str) -> Policy:
    """Read parameters whose full names start so."""
    return _policy(
        place,
        {
            "Sid": "ThisEnvironmentsParameters",
            "Action": "ssm:GetParameter",
            "Resource": parameter_arn(place, f"{parameter_prefix}*"),
        },
    )


def logs(place: Place, log_group_prefix: str) -> Policy:
    """Write to log groups whose names start so."""
    return _policy(
        place,
        {
            "Sid": "ThisEnvironmentsLogs",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": place.log_group_arn(f"{log_group_prefix}*"),
        },
    )


def monitoring(place: Place) -> Policy:
    """Put metrics."""
    return _policy(
        place,
        {
            "Sid": "PutMetrics",
            "Action": "cloudwatch:PutMetricData",
            # The action knows no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
            "Resource": "*",
        },
    )


def xray(place: Place) -> Policy:
    """Send segments, and ask which requests to sample."""
    return _policy(
        place,
        {
            "Sid": "WriteTraces",
            "Action": [
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            # The actions know no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
            "Resource": "*",
        },
    )


def s3(place: Place) -> Policy:
    """Read and write objects in buckets of the account."""
    return _policy(
        place,
        {
            "Sid": "OwnBuckets",
            "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
            # A bucket's ARN names no account.
            "Resource": f"arn:{place.partition}:s3:::*",
        },
        resource_account=place.account_id,
    )


def _policy(place: Place, *statements: dict[str, Any], resource_account: str = "") -> Policy:
    bounds = {"aws:PrincipalAccount": place.account_id}
    if resource_account:
        bounds["aws:ResourceAccount"] = resource_account
    return policy_document(
        *(
            {
                "Sid": each["Sid"],
                "Action": each["Action"],
                "Resource": each["Resource"],
                "Effect": "Allow",
                "Principal": "*",
                "Condition": {"StringEquals": bounds},
            }
            for each in statements
        )
    )
