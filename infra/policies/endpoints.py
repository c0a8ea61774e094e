"""Policies of VPC endpoints: which calls may pass. Pure functions over plain strings.

An endpoint policy grants nothing; it limits what roles may do through the endpoint, and which
account the roles belong to.
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

from collections.abc import Sequence
from typing import Any

from ..aws.location import Location
from .iam import MAKE_PASSWORDS, Policy, policy_document
from .parameters import parameter_arn


def secretsmanager(
    location: Location, secret_prefix: str, existing_arns: Sequence[str] = ()
) -> Policy:
    """Read and rotate secrets with this name prefix, read existing ones, generate passwords.

    Secrets must be in the caller's account; an existing secret may be in any account.
    """
    existing = {
        "Sid": "ExistingSecrets",
        "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "Resource": sorted(existing_arns),
    }
    return _policy(
        location,
        {
            "Sid": "ThisEnvironmentsSecrets",
            "Action": [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:ListSecretVersionIds",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            "Resource": location.arn("secretsmanager", f"secret:{secret_prefix}*"),
        },
        *([existing] if existing_arns else []),
        MAKE_PASSWORDS,
    )


def ssm(location: Location, parameter_prefix: str) -> Policy:
    """Read parameters with this name prefix."""
    return _policy(
        location,
        {
            "Sid": "ThisEnvironmentsParameters",
            "Action": "ssm:GetParameter",
            "Resource": parameter_arn(location, f"{parameter_prefix}*"),
        },
    )


def logs(location: Location, log_group_prefix: str) -> Policy:
    """Write to log groups with this name prefix."""
    return _policy(
        location,
        {
            "Sid": "ThisEnvironmentsLogs",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": location.log_group_arn(f"{log_group_prefix}*"),
        },
    )


def monitoring(location: Location) -> Policy:
    """Publish metrics."""
    return _policy(
        location,
        {
            "Sid": "PutMetrics",
            "Action": "cloudwatch:PutMetricData",
            # The action supports no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
            "Resource": "*",
        },
    )


def xray(location: Location) -> Policy:
    """Send segments, and get sampling rules."""
    return _policy(
        location,
        {
            "Sid": "WriteTraces",
            "Action": [
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            # The actions support no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
            "Resource": "*",
        },
    )


def s3(location: Location) -> Policy:
    """Read and write objects in buckets of the account."""
    return _policy(
        location,
        {
            "Sid": "OwnBuckets",
            "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject"],
            # A bucket's ARN contains no account.
            "Resource": f"arn:{location.partition}:s3:::*",
        },
        resource_account=location.account_id,
    )


def _policy(location: Location, *statements: dict[str, Any], resource_account: str = "") -> Policy:
    bounds = {"aws:PrincipalAccount": location.account_id}
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
