"""Settings of a bucket: versioning, ownership, public access, encryption, policy."""

from collections.abc import Mapping
from typing import Any

from local.provider import forms
from local.provider.resource import (
    REGION,
    Input,
    Properties,
    RejectedError,
    Resource,
    Session,
    camel,
    given,
    pascal,
)

BUCKET = Input(required=True, replaces=True, length=(1, 63))
_OWNER = Input(replaces=True, pattern=r"\d{12}")


class BucketSetting(Resource):
    """A setting of a bucket, with the bucket's name as its id."""

    gone = frozenset({"NoSuchBucket"})

    def create(self, session: Session, inputs: Properties) -> str:
        owner = inputs.get("expectedBucketOwner")
        id_ = f"{inputs['bucket']},{owner}" if owner else str(inputs["bucket"])
        self.put(session.client("s3"), bucket_and_owner(id_), inputs)
        return id_

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        bucket, _, owner = id_.partition(",")
        setting = self.read_setting(session.client("s3"), bucket_and_owner(id_))
        return {"bucket": bucket, **({"expectedBucketOwner": owner} if owner else {}), **setting}

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        self.put(session.client("s3"), bucket_and_owner(id_), inputs)

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        """Write the setting."""
        raise NotImplementedError

    def read_setting(self, s3: Any, where: Mapping[str, str]) -> Properties:
        """Read the setting."""
        raise NotImplementedError


def bucket_and_owner(id_: str) -> dict[str, str]:
    """Convert the id of a setting to arguments of S3's calls."""
    bucket, _, owner = id_.partition(",")
    return {"Bucket": bucket, **({"ExpectedBucketOwner": owner} if owner else {})}


class BucketVersioning(BucketSetting):
    """The versioning of a bucket; deleting it suspends versioning."""

    type = "aws:s3/bucketVersioning:BucketVersioning"
    inputs = {
        "bucket": BUCKET,
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
            raise RejectedError(
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

    def read_setting(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_bucket_versioning(**where)
        configuration = {"status": found.get("Status", "Disabled")}
        if "MFADelete" in found:
            configuration["mfaDelete"] = found["MFADelete"]
        return {"versioningConfiguration": configuration}

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        if state["versioningConfiguration"]["status"] != "Disabled":
            session.client("s3").put_bucket_versioning(
                **bucket_and_owner(id_), VersioningConfiguration={"Status": "Suspended"}
            )


class BucketOwnershipControls(BucketSetting):
    """The ownership of a bucket's objects."""

    type = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    inputs = {
        "bucket": BUCKET,
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

    def read_setting(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_bucket_ownership_controls(**where)["OwnershipControls"]
        return {"rule": camel(found["Rules"][0])}

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("s3").delete_bucket_ownership_controls(**bucket_and_owner(id_))


class BucketPublicAccessBlock(BucketSetting):
    """The public access block of a bucket."""

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

    def read_setting(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_public_access_block(**where)["PublicAccessBlockConfiguration"]
        return camel(found)  # type: ignore[no-any-return]

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        if not state.get("skipDestroy"):
            session.client("s3").delete_public_access_block(**bucket_and_owner(id_))


class BucketServerSideEncryptionConfiguration(BucketSetting):
    """The default encryption of a bucket; deleting it restores S3's default."""

    type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    inputs = {
        "bucket": BUCKET,
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

    def read_setting(self, s3: Any, where: Mapping[str, str]) -> Properties:
        found = s3.get_bucket_encryption(**where)["ServerSideEncryptionConfiguration"]
        return {"rules": [encryption_from_aws(rule) for rule in found["Rules"]]}

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("s3").delete_bucket_encryption(**bucket_and_owner(id_))


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


def encryption_from_aws(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Convert an encryption rule to the provider's names."""
    converted: dict[str, Any] = {"bucketKeyEnabled": rule.get("BucketKeyEnabled", False)}
    if default := rule.get("ApplyServerSideEncryptionByDefault"):
        converted["applyServerSideEncryptionByDefault"] = {"sseAlgorithm": default["SSEAlgorithm"]}
        if "KMSMasterKeyID" in default:
            converted["applyServerSideEncryptionByDefault"] |= {
                "kmsMasterKeyId": default["KMSMasterKeyID"]
            }
    if blocked := rule.get("BlockedEncryptionTypes", {}).get("EncryptionType"):
        converted["blockedEncryptionTypes"] = blocked
    return converted


class BucketPolicy(BucketSetting):
    """The policy of a bucket."""

    type = "aws:s3/bucketPolicy:BucketPolicy"
    inputs = {
        "bucket": BUCKET,
        "policy": Input(required=True, json=True, form=forms.policy),
        "region": REGION,
    }
    gone = frozenset({"NoSuchBucket", "NoSuchBucketPolicy"})

    def put(self, s3: Any, where: Mapping[str, str], inputs: Properties) -> None:
        s3.put_bucket_policy(**where, Policy=inputs["policy"])

    def read_setting(self, s3: Any, where: Mapping[str, str]) -> Properties:
        return {"policy": s3.get_bucket_policy(**where)["Policy"]}

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("s3").delete_bucket_policy(**bucket_and_owner(id_))
