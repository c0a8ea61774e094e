"""The lifecycle rules of a bucket: when objects move or expire."""

from collections.abc import Iterable, Mapping
from typing import Any

from local.provider import forms
from local.provider.resource import (
    REGION,
    Input,
    Properties,
    Session,
    camel,
    given,
    pascal,
    tag_list,
    tag_map,
)
from local.provider.s3.settings import BUCKET, BucketSetting, bucket_and_owner

_MOST = 2**31 - 1


_DAYS = Input(bounds=(0, _MOST))
_COUNT = Input(bounds=(1, _MOST))
_CLASS = Input(
    required=True,
    choices=(
        "GLACIER",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "DEEP_ARCHIVE",
        "GLACIER_IR",
    ),
)
_RULE = {
    "abortIncompleteMultipartUpload": Input(fields={"daysAfterInitiation": Input()}),
    "expiration": Input(
        fields={"date": Input(), "days": Input(), "expiredObjectDeleteMarker": Input()}
    ),
    "filter": Input(
        fields={
            "and": Input(
                fields={
                    # S3 returns 0 if it was not set.
                    "objectSizeGreaterThan": Input(
                        bounds=(0, float("inf")), form=lambda size: size or None
                    ),
                    "objectSizeLessThan": Input(bounds=(1, float("inf"))),
                    "prefix": Input(),
                    "tags": Input(),
                }
            ),
            "objectSizeGreaterThan": Input(),
            "objectSizeLessThan": Input(),
            "prefix": Input(),
            "tag": Input(fields={"key": Input(required=True), "value": Input(required=True)}),
        }
    ),
    "id": Input(required=True, length=(1, 255)),
    "noncurrentVersionExpiration": Input(
        fields={
            "newerNoncurrentVersions": _COUNT,
            "noncurrentDays": Input(required=True, bounds=(1, _MOST)),
        }
    ),
    "noncurrentVersionTransitions": Input(
        form=forms.unordered,
        fields={
            "newerNoncurrentVersions": _COUNT,
            "noncurrentDays": Input(required=True, bounds=(0, _MOST)),
            "storageClass": _CLASS,
        },
    ),
    "prefix": Input(),
    "status": Input(required=True, choices=("Disabled", "Enabled")),
    "transitions": Input(
        form=forms.unordered, fields={"date": Input(), "days": _DAYS, "storageClass": _CLASS}
    ),
}


class BucketLifecycleConfiguration(BucketSetting):
    """The lifecycle rules of a bucket: when objects move or expire."""

    type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    inputs = {
        "bucket": BUCKET,
        "expectedBucketOwner": Input(computed=True, replaces=True, pattern=r"\d{12}"),
        "region": REGION,
        "rules": Input(required=True, length=(1, _MOST), fields=_RULE),
        "timeouts": Input(fields={"create": Input(), "update": Input()}),
        "transitionDefaultMinimumObjectSize": Input(
            default="all_storage_classes_128K",
            choices=("varies_by_storage_class", "all_storage_classes_128K"),
        ),
    }
    gone = frozenset({"NoSuchBucket", "NoSuchLifecycleConfiguration"})

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        for number, rule in enumerate(inputs.get("rules", ())):
            for index, each in enumerate(rule.get("transitions") or ()):
                if each.get("date") is not None and each.get("days") is not None:
                    yield (
                        f"rules[{number}].transitions[{index}]",
                        "can have date or days, not both",
                    )

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        s3.put_bucket_lifecycle_configuration(
            **where,
            LifecycleConfiguration={"Rules": [_rule(each) for each in inputs["rules"]]},
            **given(inputs, "transitionDefaultMinimumObjectSize"),
        )

    def read_setting(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_bucket_lifecycle_configuration(**where)
        return {
            "rules": [rule_from_aws(each) for each in found["Rules"]],
            "transitionDefaultMinimumObjectSize": found["TransitionDefaultMinimumObjectSize"],
        }

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("s3").delete_bucket_lifecycle(**bucket_and_owner(id_))


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a lifecycle rule to S3's names."""
    keys = ("abortIncompleteMultipartUpload", "noncurrentVersionExpiration")
    wanted = given(rule, *keys, "noncurrentVersionTransitions", "prefix", "status")
    wanted["ID"] = rule["id"]
    chosen = {key: each for key, each in (rule.get("filter") or {}).items() if each is not None}
    if both := chosen.pop("and", None):
        tags = {"Tags": tag_list(both["tags"])} if both.get("tags") else {}
        sizes = given(both, "objectSizeGreaterThan", "objectSizeLessThan", "prefix")
        wanted["Filter"] = {"And": {**sizes, **tags}}
    elif rule.get("filter") is not None:
        wanted["Filter"] = pascal(chosen) or {"Prefix": ""}
    elif "Prefix" not in wanted:
        wanted["Filter"] = {}
    if rule.get("expiration") is not None:
        when = given(rule["expiration"], "date", "days")
        marker = bool(rule["expiration"].get("expiredObjectDeleteMarker"))
        wanted["Expiration"] = when or {"ExpiredObjectDeleteMarker": marker}
    if rule.get("transitions"):
        wanted["Transitions"] = [
            {**({} if each.get("date") else {"Days": 0}), **pascal(each)}
            for each in rule["transitions"]
        ]
    return wanted


def rule_from_aws(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a lifecycle rule of S3 to the provider's names."""
    converted: dict[str, Any] = camel({key: each for key, each in rule.items() if key != "ID"})
    converted["id"] = rule.get("ID")
    if not converted.get("filter"):
        converted.pop("filter", None)
    elif both := converted["filter"].get("and"):
        both["tags"] = tag_map(rule["Filter"]["And"].get("Tags", ()))
    for when in (converted.get("expiration", {}), *converted.get("transitions", ())):
        if "date" in when:
            when["date"] = when["date"].strftime("%Y-%m-%dT%H:%M:%SZ")
    return converted
