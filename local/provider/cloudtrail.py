"""CloudTrail: trails.

The real provider retries for two minutes while CloudTrail cannot access the log group. That is
left out, because permissions are effective immediately here.
"""

from collections.abc import Mapping
from typing import Any

from local.provider import forms
from local.provider.resource import (
    REGION,
    TAGS,
    AutoName,
    Input,
    Properties,
    Resource,
    Session,
    already_created,
    camel,
    given,
    pascal,
    tag_list,
    tag_map,
)

_CONDITIONS = ("equals", "notEquals")
_MANY = 2**31 - 1
_WITHS = ("startsWiths", "endsWiths", "notStartsWiths", "notEndsWiths")
# https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
_DEFAULT_SELECTOR = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
}


class Trail(Resource):
    """A trail; logging starts when it is created.

    The default selector, for all management events, is not read back. The advanced selectors of a
    trail cannot be removed: CloudTrail rejects the provider's request.
    """

    type = "aws:cloudtrail/trail:Trail"
    inputs = {
        "advancedEventSelectors": Input(
            fields={
                "fieldSelectors": Input(
                    required=True,
                    length=(1, _MANY),
                    form=forms.unordered,
                    fields={
                        "field": Input(required=True),
                        **{
                            key: Input(length=(1, _MANY), pattern=r"(?s).{1,2048}")
                            for key in (*_CONDITIONS, *_WITHS)
                        },
                    },
                ),
                "name": Input(length=(0, 1000)),
            }
        ),
        "cloudWatchLogsGroupArn": Input(arn=True),
        "cloudWatchLogsRoleArn": Input(arn=True),
        "enableLogFileValidation": Input(default=False),
        "enableLogging": Input(default=True),
        "eventSelectors": Input(
            length=(0, 5),
            fields={
                "dataResources": Input(
                    fields={
                        "type": Input(
                            required=True,
                            choices=(
                                "AWS::S3::Object",
                                "AWS::Lambda::Function",
                                "AWS::DynamoDB::Table",
                            ),
                        ),
                        "values": Input(required=True, length=(0, 250)),
                    }
                ),
                "excludeManagementEventSources": Input(form=forms.unordered),
                "includeManagementEvents": Input(default=True),
                "readWriteType": Input(default="All", choices=("ReadOnly", "WriteOnly", "All")),
            },
        ),
        "includeGlobalServiceEvents": Input(default=True),
        "insightSelectors": Input(
            form=forms.unordered,
            fields={
                "insightType": Input(
                    required=True, choices=("ApiCallRateInsight", "ApiErrorRateInsight")
                )
            },
        ),
        "isMultiRegionTrail": Input(default=False),
        "isOrganizationTrail": Input(default=False),
        "kmsKeyId": Input(arn=True),
        "name": Input(replaces=True, auto_name=AutoName(255), length=(3, 128)),
        "region": REGION,
        "s3BucketName": Input(required=True),
        "tags": TAGS,
    }
    outputs = ("arn", "homeRegion", "snsTopicArn")
    conflicts = (("eventSelectors", "advancedEventSelectors"),)
    deleted = frozenset({"TrailNotFoundException"})

    def create(self, session: Session, inputs: Properties) -> str:
        cloudtrail = session.client("cloudtrail")
        keys = ("includeGlobalServiceEvents", "isMultiRegionTrail", "isOrganizationTrail")
        id_ = str(
            cloudtrail.create_trail(
                Name=inputs["name"],
                S3BucketName=inputs["s3BucketName"],
                TagsList=tag_list(inputs["tags"]),
                **given(inputs, "enableLogFileValidation", "kmsKeyId", *keys),
                **{name: arn for name, arn in _log_group(inputs).items() if arn},
            )["TrailARN"]
        )
        with already_created(id_):
            if inputs["enableLogging"]:
                cloudtrail.start_logging(Name=id_)
            kinds = ("eventSelectors", "advancedEventSelectors", "insightSelectors")
            self._select(cloudtrail, id_, inputs, {key for key in kinds if inputs.get(key)})
        return id_

    def _select(self, cloudtrail: Any, id_: str, inputs: Properties, changed: set[str]) -> None:
        if "eventSelectors" in changed:
            selectors = pascal(inputs.get("eventSelectors") or [_DEFAULT_SELECTOR])
            cloudtrail.put_event_selectors(TrailName=id_, EventSelectors=selectors)
        if "advancedEventSelectors" in changed:
            advanced = [_advanced(each) for each in inputs.get("advancedEventSelectors") or ()]
            cloudtrail.put_event_selectors(TrailName=id_, AdvancedEventSelectors=advanced)
        if "insightSelectors" in changed:
            insights = pascal(inputs.get("insightSelectors") or [])
            cloudtrail.put_insight_selectors(TrailName=id_, InsightSelectors=insights)

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        cloudtrail = session.client("cloudtrail")
        found = cloudtrail.describe_trails(trailNameList=[id_])["trailList"]
        if not found:
            return None
        (trail,) = found
        (tagged,) = cloudtrail.list_tags(ResourceIdList=[id_])["ResourceTagList"]
        read = {
            "arn": trail["TrailARN"],
            "cloudWatchLogsGroupArn": trail.get("CloudWatchLogsLogGroupArn"),
            "cloudWatchLogsRoleArn": trail.get("CloudWatchLogsRoleArn"),
            "enableLogFileValidation": trail.get("LogFileValidationEnabled", False),
            "enableLogging": cloudtrail.get_trail_status(Name=id_)["IsLogging"],
            "homeRegion": trail["HomeRegion"],
            "includeGlobalServiceEvents": trail.get("IncludeGlobalServiceEvents", False),
            "isMultiRegionTrail": trail.get("IsMultiRegionTrail", False),
            "isOrganizationTrail": trail.get("IsOrganizationTrail", False),
            "kmsKeyId": trail.get("KmsKeyId"),
            "name": trail["Name"],
            "s3BucketName": trail["S3BucketName"],
            "snsTopicArn": trail.get("SnsTopicARN", ""),
            "tags": tag_map(tagged["TagsList"]),
        }
        if trail.get("HasCustomEventSelectors"):
            found = cloudtrail.get_event_selectors(TrailName=id_)
            read["eventSelectors"] = _selectors_from_aws(found.get("EventSelectors", []))
            read["advancedEventSelectors"] = [
                _advanced_from_aws(each) for each in found.get("AdvancedEventSelectors", ())
            ]
        if trail.get("HasInsightSelectors"):
            insights = cloudtrail.get_insight_selectors(TrailName=id_)["InsightSelectors"]
            read["insightSelectors"] = camel(insights)
        return read

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        cloudtrail = session.client("cloudtrail")
        keys = {
            "enableLogFileValidation",
            "includeGlobalServiceEvents",
            "isMultiRegionTrail",
            "isOrganizationTrail",
            "kmsKeyId",
            "s3BucketName",
        }
        wanted = pascal({key: inputs.get(key, "") for key in sorted(changed & keys)})
        if changed & {"cloudWatchLogsGroupArn", "cloudWatchLogsRoleArn"}:
            # CloudTrail needs both or neither.
            wanted |= _log_group(inputs)
        if wanted:
            cloudtrail.update_trail(Name=id_, **wanted)
        if "enableLogging" in changed:
            call = cloudtrail.start_logging if inputs["enableLogging"] else cloudtrail.stop_logging
            call(Name=id_)
        self._select(cloudtrail, id_, inputs, changed)

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("cloudtrail").add_tags(ResourceId=id_, TagsList=tag_list(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("cloudtrail").remove_tags(
            ResourceId=id_, TagsList=[{"Key": key} for key in keys]
        )

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("cloudtrail").delete_trail(Name=id_)


def _log_group(inputs: Properties) -> dict[str, str]:
    return {
        "CloudWatchLogsLogGroupArn": inputs.get("cloudWatchLogsGroupArn") or "",
        "CloudWatchLogsRoleArn": inputs.get("cloudWatchLogsRoleArn") or "",
    }


def _selectors_from_aws(selectors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Convert selectors to the provider's names; omit the default, all management events."""
    if len(selectors) == 1:
        (only,) = selectors
        narrows = only.get("DataResources") or only.get("ExcludeManagementEventSources")
        if only["ReadWriteType"] == "All" and not narrows:
            return []
    return camel(selectors)  # type: ignore[no-any-return]


def _advanced(selector: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Name": selector.get("name") or "",
        "FieldSelectors": [
            {
                key.removesuffix("s") if key.endswith("Withs") else key: values
                for key, values in given(each, "field", *_CONDITIONS, *_WITHS).items()
            }
            for each in selector["fieldSelectors"]
        ],
    }


def _advanced_from_aws(selector: Mapping[str, Any]) -> dict[str, Any]:
    fields = camel(selector["FieldSelectors"])
    return {
        "name": selector.get("Name", ""),
        "fieldSelectors": [
            {f"{key}s" if key.endswith("With") else key: values for key, values in each.items()}
            for each in fields
        ],
    }
