"""Tells which secrets were not rotated in time, which no metric of AWS does. Reads no value.

Prints CloudWatch metrics (Embedded Metric Format) in the namespace LambdaSecrets:
``RotationOverdue``, the number of secrets, and for each secret ``SecretAge``, in days.
"""

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import ClientError


def lambda_handler(_event: object, context: Any) -> dict[str, list[str]]:
    """Look at every secret of ``SECRETS``; return the names of those that are overdue."""
    secrets, overdue = boto3.client("secretsmanager"), []
    for name in os.environ["SECRETS"].split(","):
        try:
            secret = secrets.describe_secret(SecretId=name)
        except ClientError as error:  # the others are still to be looked at
            print(f"{name} cannot be described: {error}")  # noqa: T201 (the log)
            overdue.append(name)
            continue
        rotated = secret.get("LastRotatedDate") or secret["CreatedDate"]
        days = (datetime.now(UTC) - rotated).total_seconds() / 86_400
        _emit("SecretAge", round(days, 3), "None", SecretName=name)
        if _is_overdue(secret):
            print(f"{name} is overdue: {_reason(secret)}")  # noqa: T201 (the log)
            overdue.append(name)
    _emit("RotationOverdue", len(overdue), "Count", FunctionName=context.function_name)
    return {"overdue": overdue}


def _is_overdue(secret: Mapping[str, Any]) -> bool:
    """Tell whether a secret does not rotate, or not in time.

    Secrets Manager rotates on or before the date; after a rotation that failed it is in the past.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
    """
    due = secret.get("NextRotationDate")
    return not secret.get("RotationEnabled") or due is None or due < datetime.now(UTC)


def _reason(secret: Mapping[str, Any]) -> str:
    if "DeletedDate" in secret:
        return f"deleted on {secret['DeletedDate']:%Y-%m-%d}"
    if not secret.get("RotationEnabled"):
        return "rotation is off"
    return f"it was to rotate by {secret.get('NextRotationDate')}"


def _emit(metric: str, value: float, unit: str, **dimensions: str) -> None:
    """Print one metric.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    directive = {
        "Namespace": "LambdaSecrets",
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": metric, "Unit": unit}],
    }
    metadata = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    print(json.dumps({**dimensions, metric: value, "_aws": metadata}))  # noqa: T201 (the log)
