"""Reports secrets with an overdue rotation or a broken replica, for which AWS has no metric.

Prints CloudWatch metrics (Embedded Metric Format) in the namespace LambdaSecrets:
`RotationOverdue`, the number of overdue secrets; `SecretAge` in days, for each rotating secret;
and `ReplicasBroken`, the number of broken replicas. Reads no value.
"""

import json
import time
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_WATCHED = Path(__file__).with_name("watched.json")
# A call that gets no response leaves time for the other secrets.
_CONFIG = Config(
    connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"}
)


def lambda_handler(_event: object, context: Any) -> dict[str, list[str]]:
    """Check every secret in `watched.json`, for which a variable could be too short.

    Those in `rotating` must rotate, and all must have a replica in each of `replicaRegions`. A
    secret that cannot be described counts as overdue and as without replicas.

    Returns:
        The names of the `overdue` secrets, and the `broken` replicas as `name in region`.

    """
    watched = json.loads(_WATCHED.read_text(encoding="utf-8"))
    rotating, regions = set(watched["rotating"]), watched["replicaRegions"]
    secrets, overdue, broken = boto3.client("secretsmanager", config=_CONFIG), [], []
    for name in watched["secrets"]:
        try:
            secret = secrets.describe_secret(SecretId=name)
        except (BotoCoreError, ClientError) as error:  # continue with the other secrets
            print(f"{name} cannot be described: {error}")  # noqa: T201 (the log)
            overdue += [name] if name in rotating else []
            broken += [f"{name} in {region}" for region in regions]
            continue
        for region, reason in _broken(secret, regions).items():
            print(f"{name} in {region} is broken: {reason}")  # noqa: T201 (the log)
            broken.append(f"{name} in {region}")
        if name not in rotating:
            continue
        rotated = secret.get("LastRotatedDate") or secret["CreatedDate"]
        days = (datetime.now(UTC) - rotated).total_seconds() / 86_400
        _emit("SecretAge", round(days, 3), "None", SecretName=name)
        if _is_overdue(secret):
            print(f"{name} is overdue: {_reason(secret)}")  # noqa: T201 (the log)
            overdue.append(name)
    watch = context.function_name
    if rotating:
        _emit("RotationOverdue", len(overdue), "Count", FunctionName=watch)
    if regions:
        _emit("ReplicasBroken", len(broken), "Count", FunctionName=watch)
    return {"overdue": overdue, "broken": broken}


def _broken(secret: Mapping[str, Any], regions: Collection[str]) -> dict[str, str]:
    """Return the reason for each region whose replica failed or is missing.

    Secrets Manager removes a replica that failed before it had a value, and keeps the old value of
    any other. https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets_troubleshoot.html
    """
    found = {each["Region"]: each for each in secret.get("ReplicationStatus", ())}
    missing = {region: "it is missing" for region in regions if region not in found}
    return missing | {
        region: str(each.get("StatusMessage") or "its replication failed")
        for region, each in found.items()
        if each["Status"] == "Failed"
    }


def _is_overdue(secret: Mapping[str, Any]) -> bool:
    """Return whether a secret does not rotate, or is late.

    Secrets Manager rotates on or before the date; after a failed rotation the date is in the past.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
    """
    due = secret.get("NextRotationDate")
    return not secret.get("RotationEnabled") or due is None or due < datetime.now(UTC)


def _reason(secret: Mapping[str, Any]) -> str:
    if "DeletedDate" in secret:
        return f"deleted on {secret['DeletedDate']:%Y-%m-%d}"
    if not secret.get("RotationEnabled"):
        return "rotation is off"
    return f"its rotation was due by {secret.get('NextRotationDate')}"


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
