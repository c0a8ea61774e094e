"""CloudWatch Logs: log groups and their metric filters.

Left out: the real provider writes the filters of a group one at a time, and retries to delete a
group that is being changed. Neither conflicts here.
"""

from collections.abc import Mapping
from typing import Any

from local.provider.resource import (
    REGION,
    TAGS,
    AutoName,
    Input,
    Properties,
    RejectedError,
    Resource,
    Session,
    already_created,
)

_GROUP = r"[0-9A-Za-z_./#-]+"
_RETENTION_DAYS = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557),
    *(2922, 3288, 3653),
)
_SIZES = (
    *("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"),
    *("Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Count"),
)
_UNITS = (
    *("Seconds", "Microseconds", "Milliseconds", "Percent", "None", *_SIZES),
    *(f"{size}/Second" for size in _SIZES),
)


class LogGroup(Resource):
    """A log group."""

    type = "aws:cloudwatch/logGroup:LogGroup"
    inputs = {
        "deletionProtectionEnabled": Input(computed=True),
        "kmsKeyId": Input(),
        "logGroupClass": Input(
            computed=True, replaces=True, choices=("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")
        ),
        "name": Input(
            computed=True, replaces=True, auto_name=AutoName(), pattern=_GROUP, length=(0, 512)
        ),
        "region": REGION,
        "retentionInDays": Input(default=0, choices=_RETENTION_DAYS),
        "skipDestroy": Input(default=False),
        "tags": TAGS,
    }
    outputs = ("arn",)
    gone = frozenset({"ResourceNotFoundException"})

    def create(self, session: Session, inputs: Properties) -> str:
        logs, name = session.client("logs"), str(inputs["name"])
        keys = ("deletionProtectionEnabled", "kmsKeyId", "logGroupClass", "tags")
        logs.create_log_group(
            logGroupName=name,
            **{key: inputs[key] for key in keys if inputs.get(key)},
        )
        with already_created(name):
            if inputs["retentionInDays"]:
                self._put_retention(logs, name, inputs)
        return name

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        logs = session.client("logs")
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=id_)
        for group in (each for page in pages for each in page["logGroups"]):
            if group["logGroupName"] == id_:
                arn = group["arn"].removesuffix(":*")
                returned = {"deletionProtectionEnabled", "logGroupClass"} & group.keys()
                return {
                    "arn": arn,
                    "kmsKeyId": group.get("kmsKeyId", ""),
                    "name": id_,
                    "retentionInDays": group.get("retentionInDays", 0),
                    "tags": logs.list_tags_for_resource(resourceArn=arn)["tags"],
                    **{key: group[key] for key in returned},
                }
        return None

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        logs = session.client("logs")
        if "retentionInDays" in changed:
            self._put_retention(logs, id_, inputs)
        if "kmsKeyId" in changed:
            if key := inputs.get("kmsKeyId"):
                logs.associate_kms_key(logGroupName=id_, kmsKeyId=key)
            else:
                logs.disassociate_kms_key(logGroupName=id_)
        if "deletionProtectionEnabled" in changed:
            logs.put_log_group_deletion_protection(
                logGroupIdentifier=id_,
                deletionProtectionEnabled=inputs["deletionProtectionEnabled"],
            )

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("logs").tag_resource(resourceArn=state["arn"], tags=dict(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("logs").untag_resource(resourceArn=state["arn"], tagKeys=keys)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        if not state.get("skipDestroy"):
            session.client("logs").delete_log_group(logGroupName=id_)

    def _put_retention(self, logs: Any, name: str, inputs: Properties) -> None:
        if days := inputs["retentionInDays"]:
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        else:
            logs.delete_retention_policy(logGroupName=name)


def _number(text: object) -> float | None:
    return None if text in (None, "") else float(str(text))


def _trimmed(pattern: object) -> object:
    return pattern.strip() if isinstance(pattern, str) else pattern


_METRIC_NAME = Input(required=True, pattern=r"[^:*$]*", length=(0, 255))


class LogMetricFilter(Resource):
    """A filter that turns lines of a log group into a metric."""

    type = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    inputs = {
        "applyOnTransformedLogs": Input(computed=True),
        "logGroupName": Input(required=True, replaces=True, pattern=_GROUP, length=(0, 512)),
        "metricTransformation": Input(
            required=True,
            fields={
                "defaultValue": Input(
                    pattern=r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|", form=_number
                ),
                "dimensions": Input(),
                "name": _METRIC_NAME,
                "namespace": _METRIC_NAME,
                "unit": Input(default="None", choices=_UNITS),
                "value": Input(required=True, length=(0, 100)),
            },
        ),
        "name": Input(replaces=True, auto_name=AutoName(), pattern=r"[^:*]+", length=(0, 512)),
        "pattern": Input(required=True, length=(0, 1024), form=_trimmed),
        "region": REGION,
    }
    gone = frozenset({"ResourceNotFoundException"})

    def create(self, session: Session, inputs: Properties) -> str:
        metric = inputs["metricTransformation"]
        transformation = {
            "metricName": metric["name"],
            "metricNamespace": metric["namespace"],
            "metricValue": metric["value"],
            "unit": metric.get("unit") or "None",
        }
        if metric.get("dimensions"):
            transformation["dimensions"] = metric["dimensions"]
        if (default := _number(metric.get("defaultValue"))) is not None:
            transformation["defaultValue"] = default
        session.client("logs").put_metric_filter(
            filterName=inputs["name"],
            filterPattern=inputs["pattern"].strip(),
            logGroupName=inputs["logGroupName"],
            metricTransformations=[transformation],
            applyOnTransformedLogs=bool(inputs.get("applyOnTransformedLogs")),
        )
        return str(inputs["name"])

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        pages = session.client("logs").get_paginator("describe_metric_filters")
        for page in pages.paginate(logGroupName=state["logGroupName"], filterNamePrefix=id_):
            for found in page["metricFilters"]:
                if found["filterName"] == id_:
                    return {
                        "applyOnTransformedLogs": found.get("applyOnTransformedLogs", False),
                        "logGroupName": found["logGroupName"],
                        "metricTransformation": _metric(found["metricTransformations"][0]),
                        "name": id_,
                        "pattern": found["filterPattern"],
                    }
        return None

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        kept = "applyOnTransformedLogs"
        self.create(session, {kept: state.get(kept), **inputs})

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("logs").delete_metric_filter(
            filterName=id_, logGroupName=state["logGroupName"]
        )

    def imported(self, session: Session, id_: str) -> tuple[str, Properties]:
        group, _, name = id_.partition(":")
        if not (group and name) or ":" in name:
            raise RejectedError(f"{id_}: must be <log group>:<filter>")
        return name, {"logGroupName": group}


def _metric(transformation: Properties) -> Properties:
    metric = {
        "dimensions": transformation.get("dimensions", {}),
        "name": transformation["metricName"],
        "namespace": transformation["metricNamespace"],
        "unit": transformation.get("unit", "None"),
        "value": transformation["metricValue"],
    }
    if (default := transformation.get("defaultValue")) is not None:
        metric["defaultValue"] = f"{default:.15g}"
    return metric
