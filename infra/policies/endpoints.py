"""Policies of VPC endpoints: which calls may pass. Pure functions over plain strings.

An endpoint policy grants nothing; it limits what roles may do through the endpoint, and which
account the roles belong to.
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

from collections.abc import Sequence
from typing import Any

from ..aws.place import Place
from .iam import MAKE_PASSWORDS, Policy, policy_document
from .parameters import parameter_arn


def secretsmanager(place: Place, secret_prefix: str, existing_arns: Sequence[str] = ()) -> Policy:
    """Read and rotate secrets with this name prefix, read existing ones, generate passwords.

    Secrets must be in the caller's account; an existing secret may be in any account.
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
    """Read parameters with this name prefix."""
    return _policy(
        place,
        {
            "Sid": "ThisEnvironmentsParameters",
            "Action": "ssm:GetParameter",
            "Resource": parameter_arn(place, f"{parameter_prefix}*"),
        },
    )


def logs(place: Place, log_group_prefix: str) -> Policy:
    """Write to log groups with this name prefix."""
    return _policy(
        place,
        {
            "Sid": "ThisEnvironmentsLogs",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": place.log_group_arn(f"{log_group_prefix}*"),
        },
    )


def monitoring(place: Place) -> Policy:
    """Publish metrics."""
    return _policy(
        place,
        {
            "Sid": "PutMetrics",
            "Action": "cloudwatch:PutMetricData",
            # The action supports no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
            "Resource": "*",
        },
    )


def xray(place: Place) -> Policy:
    """Send segments, and get sampling rules."""
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
            # The actions support no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
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
            # A bucket's ARN contains no account.
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
