"""Buckets, whose outputs include the settings."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

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
    camel,
    tag_list,
    tag_map,
)
from local.provider.s3.lifecycle import rule_from_aws
from local.provider.s3.settings import encryption_from_aws

# https://docs.aws.amazon.com/general/latest/gr/s3.html#s3_website_region_endpoints
_HOSTED_ZONES = {
    "af-south-1": "Z83WF9RJE8B12",
    "ap-east-1": "ZNB98KWMFR0R6",
    "ap-northeast-1": "Z2M4EHUR26P7ZW",
    "ap-northeast-2": "Z3W03O7B5YMIYP",
    "ap-northeast-3": "Z2YQB5RD63NC85",
    "ap-south-1": "Z11RGJOFQNVJUP",
    "ap-southeast-1": "Z3O0J2DXBE1FTB",
    "ap-southeast-2": "Z1WCIGYICN2BYD",
    "ca-central-1": "Z1QDHH18159H29",
    "eu-central-1": "Z21DNDUVLTQW6Q",
    "eu-north-1": "Z3BAZG2TWCNX0D",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-west-2": "Z3GKZC51ZF0DB4",
    "eu-west-3": "Z3R1K369G5AVDG",
    "sa-east-1": "Z7KQH4QJS55SO",
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-1": "Z2F56UZL2M1ACD",
    "us-west-2": "Z3BJ6K6RIION7M",
}


def _setting(call: Callable[..., Any], missing: str, id_: str) -> dict[str, Any]:
    """Read a setting; empty if there is none."""
    try:
        answer: dict[str, Any] = call(Bucket=id_)
    except ClientError as error:
        if error.response["Error"]["Code"] != missing:
            raise
        return {}
    return answer


class Bucket(Resource):
    """A bucket. Its outputs include the settings, which other resource types set."""

    type = "aws:s3/bucket:Bucket"
    inputs = {
        "bucket": Input(
            computed=True,
            replaces=True,
            auto_name=AutoName(63, lower=True),
            length=(0, 63),
            pattern=r"(?!.*--[\w-]+--x-s3$).*",
        ),
        "forceDestroy": Input(default=False),
        "objectLockEnabled": Input(computed=True, replaces=True),
        "region": REGION,
        "tags": TAGS,
    }
    outputs = (
        "arn",
        "bucketDomainName",
        "bucketRegion",
        "bucketRegionalDomainName",
        "grants",
        "hostedZoneId",
        "lifecycleRules",
        "logging",
        "policy",
        "requestPayer",
        "serverSideEncryptionConfiguration",
        "versioning",
    )
    gone = frozenset({"404", "NoSuchBucket"})

    def create(self, session: Session, inputs: Properties) -> str:
        s3, name = session.client("s3"), str(inputs["bucket"])
        where = {"CreateBucketConfiguration": {"LocationConstraint": session.region}}
        if session.region == "us-east-1":
            # In this region S3 accepts a second creation and resets the ACL.
            where = {}
            if self._exists(s3, name):
                raise RejectedError(f"creating S3 Bucket ({name}): BucketAlreadyExists")
        lock = {"ObjectLockEnabledForBucket": True} if inputs.get("objectLockEnabled") else {}
        s3.create_bucket(Bucket=name, ACL="private", **where, **lock)
        with already_created(name):
            if inputs["tags"]:
                self.tag(session, name, {}, inputs["tags"])
        return name

    def _exists(self, s3: Any, name: str) -> bool:
        try:
            s3.head_bucket(Bucket=name)
        except ClientError:
            return False
        return True

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        s3 = session.client("s3")
        region = s3.head_bucket(Bucket=id_).get("BucketRegion", session.region)
        versioning = s3.get_bucket_versioning(Bucket=id_)
        logging = s3.get_bucket_logging(Bucket=id_).get("LoggingEnabled")
        lock = _setting(
            s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError", id_
        )
        rules = _setting(
            s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration", id_
        )
        encryption = s3.get_bucket_encryption(Bucket=id_)["ServerSideEncryptionConfiguration"]
        return {
            "arn": f"arn:aws:s3:::{id_}",
            "bucket": id_,
            "bucketDomainName": f"{id_}.s3.amazonaws.com",
            "bucketRegion": region,
            "bucketRegionalDomainName": f"{id_}.s3.{region}.amazonaws.com",
            "grants": _grants(s3.get_bucket_acl(Bucket=id_)["Grants"]),
            "hostedZoneId": _HOSTED_ZONES.get(region),
            "lifecycleRules": [_output_rule(each) for each in rules.get("Rules", ())],
            "logging": camel({"TargetPrefix": "", **logging}) if logging else None,
            "objectLockEnabled": bool(lock),
            "policy": _setting(s3.get_bucket_policy, "NoSuchBucketPolicy", id_).get("Policy", ""),
            "requestPayer": s3.get_bucket_request_payment(Bucket=id_)["Payer"],
            "serverSideEncryptionConfiguration": {
                "rule": encryption_from_aws(encryption["Rules"][0])
            },
            "tags": self._tags(s3, id_),
            "versioning": {
                "enabled": versioning.get("Status") == "Enabled",
                "mfaDelete": versioning.get("MFADelete") == "Enabled",
            },
        }

    def _tags(self, s3: Any, id_: str) -> dict[str, str]:
        return tag_map(_setting(s3.get_bucket_tagging, "NoSuchTagSet", id_).get("TagSet", ()))

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        s3 = session.client("s3")
        wanted = {**self._tags(s3, id_), **tags}
        s3.put_bucket_tagging(Bucket=id_, Tagging={"TagSet": tag_list(wanted)})

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        s3 = session.client("s3")
        kept = {key: value for key, value in self._tags(s3, id_).items() if key not in keys}
        if kept:
            s3.put_bucket_tagging(Bucket=id_, Tagging={"TagSet": tag_list(kept)})
        else:
            s3.delete_bucket_tagging(Bucket=id_)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        s3 = session.client("s3")
        try:
            s3.delete_bucket(Bucket=id_)
        except ClientError as error:
            is_full = error.response["Error"]["Code"] == "BucketNotEmpty"
            if not is_full or not state.get("forceDestroy"):
                raise
            self._empty(s3, id_, is_locked=bool(state.get("objectLockEnabled")))
            s3.delete_bucket(Bucket=id_)

    def _empty(self, s3: Any, id_: str, *, is_locked: bool) -> None:
        bypass = {"BypassGovernanceRetention": True} if is_locked else {}
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=id_):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            objects = [{key: each[key] for key in ("Key", "VersionId")} for each in found]
            if objects:
                answer = s3.delete_objects(Bucket=id_, Delete={"Objects": objects}, **bypass)
                for each in answer.get("Errors", ()):
                    raise RejectedError(f"{each['Key']}: {each['Code']}: {each['Message']}")


def _grants(grants: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    together: dict[tuple[str, str, str], list[str]] = {}
    for each in grants:
        grantee = each["Grantee"]
        who = (grantee["Type"], grantee.get("ID", ""), grantee.get("URI", ""))
        together.setdefault(who, []).append(each["Permission"])
    return [
        {"type": type_, "id": id_, "uri": uri, "permissions": permissions}
        for (type_, id_, uri), permissions in together.items()
    ]


def _output_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a lifecycle rule to the bucket's output."""
    converted = rule_from_aws(rule)
    chosen = converted.get("filter") or {}
    both = chosen.get("and") or {}
    tag = {chosen["tag"]["key"]: chosen["tag"]["value"]} if "tag" in chosen else {}
    output = {
        "id": converted.get("id"),
        "enabled": converted["status"] == "Enabled",
        "prefix": both.get("prefix") or chosen.get("prefix") or converted.get("prefix") or "",
        "tags": both.get("tags") or tag,
        "abortIncompleteMultipartUploadDays": converted.get(
            "abortIncompleteMultipartUpload", {}
        ).get("daysAfterInitiation"),
        "expiration": converted.get("expiration"),
        "transitions": converted.get("transitions"),
    }
    if expiration := converted.get("noncurrentVersionExpiration"):
        output["noncurrentVersionExpiration"] = {"days": expiration["noncurrentDays"]}
    if transitions := converted.get("noncurrentVersionTransitions"):
        output["noncurrentVersionTransitions"] = [
            {"days": each["noncurrentDays"], "storageClass": each["storageClass"]}
            for each in transitions
        ]
    return {key: value for key, value in output.items() if value is not None}
