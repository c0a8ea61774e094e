"""S3: buckets, and what is set of them one by one.

Left out, since a bucket here is found at once and its settings are read back at once: the
provider's waits, of which that for a lifecycle takes it a minute, and its second attempts while a
bucket is not found or another change is under way.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.provider import forms
from local.provider.resource import (
    REGION,
    TAGS,
    AutoName,
    Input,
    Properties,
    RefusedError,
    Resource,
    Session,
    camel,
    given,
    made,
    pascal,
    tag_list,
    tag_map,
)

_MOST = 2**31 - 1
_BUCKET = Input(required=True, replaces=True, length=(1, 63))
_OWNER = Input(replaces=True, pattern=r"\d{12}")
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


def _told(call: Callable[..., Any], missing: str, id_: str) -> dict[str, Any]:
    """Ask for a setting; empty if there is none."""
    try:
        answer: dict[str, Any] = call(Bucket=id_)
    except ClientError as error:
        if error.response["Error"]["Code"] != missing:
            raise
        return {}
    return answer


class Bucket(Resource):
    """A bucket. What its settings are, it tells too, though others of these types set them."""

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
            # S3 itself takes a second creation here, and resets the ACL.
            where = {}
            if self._exists(s3, name):
                raise RefusedError(f"creating S3 Bucket ({name}): BucketAlreadyExists")
        lock = {"ObjectLockEnabledForBucket": True} if inputs.get("objectLockEnabled") else {}
        s3.create_bucket(Bucket=name, ACL="private", **where, **lock)
        with made(name):
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
        lock = _told(s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError", id_)
        rules = _told(s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration", id_)
        encryption = s3.get_bucket_encryption(Bucket=id_)["ServerSideEncryptionConfiguration"]
        return {
            "arn": f"arn:aws:s3:::{id_}",
            "bucket": id_,
            "bucketDomainName": f"{id_}.s3.amazonaws.com",
            "bucketRegion": region,
            "bucketRegionalDomainName": f"{id_}.s3.{region}.amazonaws.com",
            "grants": _grants(s3.get_bucket_acl(Bucket=id_)["Grants"]),
            "hostedZoneId": _HOSTED_ZONES.get(region),
            "lifecycleRules": [_short(each) for each in rules.get("Rules", ())],
            "logging": camel({"TargetPrefix": "", **logging}) if logging else None,
            "objectLockEnabled": bool(lock),
            "policy": _told(s3.get_bucket_policy, "NoSuchBucketPolicy", id_).get("Policy", ""),
            "requestPayer": s3.get_bucket_request_payment(Bucket=id_)["Payer"],
            "serverSideEncryptionConfiguration": {
                "rule": _encryption_told(encryption["Rules"][0])
            },
            "tags": self._tags(s3, id_),
            "versioning": {
                "enabled": versioning.get("Status") == "Enabled",
                "mfaDelete": versioning.get("MFADelete") == "Enabled",
            },
        }

    def _tags(self, s3: Any, id_: str) -> dict[str, str]:
        return tag_map(_told(s3.get_bucket_tagging, "NoSuchTagSet", id_).get("TagSet", ()))

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
                    raise RefusedError(f"{each['Key']}: {each['Code']}: {each['Message']}")


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


def _short(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Write a lifecycle rule as the bucket tells it."""
    told = _rule_told(rule)
    chosen = told.get("filter") or {}
    both = chosen.get("and") or {}
    tag = {chosen["tag"]["key"]: chosen["tag"]["value"]} if "tag" in chosen else {}
    short = {
        "id": told.get("id"),
        "enabled": told["status"] == "Enabled",
        "prefix": both.get("prefix") or chosen.get("prefix") or told.get("prefix") or "",
        "tags": both.get("tags") or tag,
        "abortIncompleteMultipartUploadDays": told.get("abortIncompleteMultipartUpload", {}).get(
            "daysAfterInitiation"
        ),
        "expiration": told.get("expiration"),
        "transitions": told.get("transitions"),
    }
    if expiration := told.get("noncurrentVersionExpiration"):
        short["noncurrentVersionExpiration"] = {"days": expiration["noncurrentDays"]}
    if transitions := told.get("noncurrentVersionTransitions"):
        short["noncurrentVersionTransitions"] = [
            {"days": each["noncurrentDays"], "storageClass": each["storageClass"]}
            for each in transitions
        ]
    return {key: value for key, value in short.items() if value is not None}


class _Setting(Resource):
    """Something that is set of a bucket, and goes by its name."""

    gone = frozenset({"NoSuchBucket"})

    def create(self, session: Session, inputs: Properties) -> str:
        owner = inputs.get("expectedBucketOwner")
        id_ = f"{inputs['bucket']},{owner}" if owner else str(inputs["bucket"])
        self.put(session.client("s3"), _where(id_), inputs)
        return id_

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        bucket, _, owner = id_.partition(",")
        told = self.told(session.client("s3"), _where(id_))
        return {"bucket": bucket, **({"expectedBucketOwner": owner} if owner else {}), **told}

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        self.put(session.client("s3"), _where(id_), inputs)

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        """Set it."""
        raise NotImplementedError

    def told(self, s3: Any, where: Mapping[str, str]) -> Properties:
        """Read it."""
        raise NotImplementedError


def _where(id_: str) -> dict[str, str]:
    bucket, _, owner = id_.partition(",")
    return {"Bucket": bucket, **({"ExpectedBucketOwner": owner} if owner else {})}


class BucketVersioning(_Setting):
    """Whether a bucket keeps older versions; taken away, it is suspended."""

    type = "aws:s3/bucketVersioning:BucketVersioning"
    inputs = {
        "bucket": _BUCKET,
        "expectedBucketOwner": _OWNER,
        "mfa": Input(),
        "region": REGION,
        "versioningConfiguration": Input(
            required=True,
            fields={
                "mfaDelete": Input(computed=True, choices=("Enabled", "Disabled")),
                "status": Input(required=True, choices=("Enabled", "Suspended", "Disabled")),
            },
        ),
    }
    deleted = frozenset({"NoSuchBucket", "InvalidBucketState"})

    def replacing(self, state: Properties, inputs: Properties, changed: set[str]) -> set[str]:
        replacing = super().replacing(state, inputs, changed)
        old, new = (each["versioningConfiguration"].get("status") for each in (state, inputs))
        if new == "Disabled" != old and not replacing:
            raise RefusedError(
                f"versioning_configuration.status cannot be updated from '{old}' to '{new}'"
            )
        return replacing

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        wanted = inputs["versioningConfiguration"]
        if wanted["status"] == "Disabled":
            return
        configuration = {"Status": wanted["status"]}
        if wanted.get("mfaDelete"):
            configuration["MFADelete"] = wanted["mfaDelete"]
        mfa = {"MFA": inputs["mfa"]} if inputs.get("mfa") else {}
        s3.put_bucket_versioning(**where, VersioningConfiguration=configuration, **mfa)

    def told(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_bucket_versioning(**where)
        configuration = {"status": found.get("Status", "Disabled")}
        if "MFADelete" in found:
            configuration["mfaDelete"] = found["MFADelete"]
        return {"versioningConfiguration": configuration}

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        if state["versioningConfiguration"]["status"] != "Disabled":
            session.client("s3").put_bucket_versioning(
                **_where(id_), VersioningConfiguration={"Status": "Suspended"}
            )


class BucketOwnershipControls(_Setting):
    """Who owns the objects of a bucket."""

    type = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    inputs = {
        "bucket": _BUCKET,
        "region": REGION,
        "rule": Input(
            required=True,
            fields={
                "objectOwnership": Input(
                    required=True,
                    choices=("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"),
                )
            },
        ),
    }
    gone = frozenset({"NoSuchBucket", "OwnershipControlsNotFoundError"})

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        rules = [pascal(inputs["rule"])]
        s3.put_bucket_ownership_controls(**where, OwnershipControls={"Rules": rules})

    def told(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_bucket_ownership_controls(**where)["OwnershipControls"]
        return {"rule": camel(found["Rules"][0])}

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("s3").delete_bucket_ownership_controls(**_where(id_))


class BucketPublicAccessBlock(_Setting):
    """What nobody can open to the public."""

    type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    inputs = {
        "blockPublicAcls": Input(default=False),
        "blockPublicPolicy": Input(default=False),
        "bucket": Input(required=True, replaces=True),
        "ignorePublicAcls": Input(default=False),
        "region": REGION,
        "restrictPublicBuckets": Input(default=False),
        "skipDestroy": Input(),
    }
    gone = frozenset({"NoSuchBucket", "NoSuchPublicAccessBlockConfiguration"})

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        keys = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls")
        wanted = given(inputs, *keys, "restrictPublicBuckets")
        s3.put_public_access_block(**where, PublicAccessBlockConfiguration=wanted)

    def told(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_public_access_block(**where)["PublicAccessBlockConfiguration"]
        told: Properties = camel(found)
        return told

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        if not state.get("skipDestroy"):
            session.client("s3").delete_public_access_block(**_where(id_))


class BucketServerSideEncryptionConfiguration(_Setting):
    """How a bucket encrypts; taken away, it does so as any other."""

    type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    inputs = {
        "bucket": _BUCKET,
        "expectedBucketOwner": _OWNER,
        "region": REGION,
        "rules": Input(
            required=True,
            fields={
                "applyServerSideEncryptionByDefault": Input(
                    fields={
                        "kmsMasterKeyId": Input(),
                        "sseAlgorithm": Input(
                            required=True,
                            choices=("AES256", "aws:fsx", "aws:backup", "aws:kms", "aws:kms:dsse"),
                        ),
                    }
                ),
                "blockedEncryptionTypes": Input(computed=True, choices=("NONE", "SSE-C")),
                "bucketKeyEnabled": Input(),
            },
        ),
    }
    gone = frozenset({"NoSuchBucket", "ServerSideEncryptionConfigurationNotFoundError"})

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        rules = [_encryption(rule) for rule in inputs["rules"]]
        s3.put_bucket_encryption(**where, ServerSideEncryptionConfiguration={"Rules": rules})

    def told(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_bucket_encryption(**where)["ServerSideEncryptionConfiguration"]
        return {"rules": [_encryption_told(rule) for rule in found["Rules"]]}

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("s3").delete_bucket_encryption(**_where(id_))


def _encryption(rule: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {"BucketKeyEnabled": bool(rule.get("bucketKeyEnabled"))}
    if default := rule.get("applyServerSideEncryptionByDefault"):
        named = {"SSEAlgorithm": default["sseAlgorithm"]}
        if default.get("kmsMasterKeyId"):
            named["KMSMasterKeyID"] = default["kmsMasterKeyId"]
        wanted["ApplyServerSideEncryptionByDefault"] = named
    if blocked := rule.get("blockedEncryptionTypes"):
        wanted["BlockedEncryptionTypes"] = {"EncryptionType": blocked}
    return wanted


def _encryption_told(rule: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"bucketKeyEnabled": rule.get("BucketKeyEnabled", False)}
    if default := rule.get("ApplyServerSideEncryptionByDefault"):
        told["applyServerSideEncryptionByDefault"] = {"sseAlgorithm": default["SSEAlgorithm"]}
        if "KMSMasterKeyID" in default:
            told["applyServerSideEncryptionByDefault"] |= {
                "kmsMasterKeyId": default["KMSMasterKeyID"]
            }
    if blocked := rule.get("BlockedEncryptionTypes", {}).get("EncryptionType"):
        told["blockedEncryptionTypes"] = blocked
    return told


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
                    # S3 tells 0 where none was given.
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


class BucketLifecycleConfiguration(_Setting):
    """When objects of a bucket move or go."""

    type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    inputs = {
        "bucket": _BUCKET,
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

    def refused(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        for number, rule in enumerate(inputs.get("rules", ())):
            for index, each in enumerate(rule.get("transitions") or ()):
                if each.get("date") is not None and each.get("days") is not None:
                    yield f"rules[{number}].transitions[{index}]", "takes date or days, not both"

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        s3.put_bucket_lifecycle_configuration(
            **where,
            LifecycleConfiguration={"Rules": [_rule(each) for each in inputs["rules"]]},
            **given(inputs, "transitionDefaultMinimumObjectSize"),
        )

    def told(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_bucket_lifecycle_configuration(**where)
        return {
            "rules": [_rule_told(each) for each in found["Rules"]],
            "transitionDefaultMinimumObjectSize": found["TransitionDefaultMinimumObjectSize"],
        }

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("s3").delete_bucket_lifecycle(**_where(id_))


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Write a lifecycle rule in S3's words."""
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


def _rule_told(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Write a lifecycle rule of S3 in the provider's words."""
    told: dict[str, Any] = camel({key: each for key, each in rule.items() if key != "ID"})
    told["id"] = rule.get("ID")
    if not told.get("filter"):
        told.pop("filter", None)
    elif both := told["filter"].get("and"):
        both["tags"] = tag_map(rule["Filter"]["And"].get("Tags", ()))
    for when in (told.get("expiration", {}), *told.get("transitions", ())):
        if "date" in when:
            when["date"] = when["date"].strftime("%Y-%m-%dT%H:%M:%SZ")
    return told


class BucketPolicy(_Setting):
    """Who may do what with a bucket."""

    type = "aws:s3/bucketPolicy:BucketPolicy"
    inputs = {
        "bucket": _BUCKET,
        "policy": Input(required=True, json=True, form=forms.policy),
        "region": REGION,
    }
    gone = frozenset({"NoSuchBucket", "NoSuchBucketPolicy"})

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        s3.put_bucket_policy(**where, Policy=inputs["policy"])

    def told(self, s3: Any, where: Mapping[str, str]) -> Properties:
        return {"policy": s3.get_bucket_policy(**where)["Policy"]}

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("s3").delete_bucket_policy(**_where(id_))
