"""KMS: keys and their aliases."""

from collections.abc import Mapping

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
    given,
    tag_list,
    tag_map,
)

_PENDING = ("PendingDeletion", "PendingReplicaDeletion")
_USAGES = ("ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "SIGN_VERIFY")
_SPECS = (
    *("SYMMETRIC_DEFAULT", "RSA_2048", "RSA_3072", "RSA_4096"),
    *("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"),
    *("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"),
    *("ECC_NIST_EDWARDS25519", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "SM2"),
)


class Key(Resource):
    """A key; deleting it schedules its deletion."""

    type = "aws:kms/key:Key"
    inputs = {
        "bypassPolicyLockoutSafetyCheck": Input(default=False),
        "customerMasterKeySpec": Input(default="SYMMETRIC_DEFAULT", replaces=True, choices=_SPECS),
        "deletionWindowInDays": Input(bounds=(7, 30)),
        "description": Input(computed=True, length=(0, 8192)),
        "enableKeyRotation": Input(),
        "isEnabled": Input(default=True),
        "keyUsage": Input(default="ENCRYPT_DECRYPT", replaces=True, choices=_USAGES),
        "multiRegion": Input(computed=True, replaces=True),
        "policy": Input(computed=True, json=True, form=forms.policy),
        "region": REGION,
        "rotationPeriodInDays": Input(computed=True, bounds=(90, 2560)),
        "tags": TAGS,
    }
    outputs = ("arn", "keyId")
    needs = (("rotationPeriodInDays", "enableKeyRotation"),)
    gone = frozenset({"NotFoundException"})
    deleted = frozenset({"NotFoundException", "KMSInvalidStateException"})

    def create(self, session: Session, inputs: Properties) -> str:
        kms = session.client("kms")
        key = kms.create_key(
            Tags=tag_list(inputs["tags"], "Tag"),
            **given(inputs, "description", "policy", "multiRegion", "keyUsage"),
            KeySpec=inputs["customerMasterKeySpec"],
            BypassPolicyLockoutSafetyCheck=inputs["bypassPolicyLockoutSafetyCheck"],
        )["KeyMetadata"]["KeyId"]
        with already_created(key):
            if inputs.get("enableKeyRotation"):
                kms.enable_key_rotation(KeyId=key, **given(inputs, "rotationPeriodInDays"))
            if not inputs["isEnabled"]:
                kms.disable_key(KeyId=key)
        return str(key)

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        kms = session.client("kms")
        key = kms.describe_key(KeyId=id_)["KeyMetadata"]
        if key["KeyState"] in _PENDING:
            return None
        rotation = kms.get_key_rotation_status(KeyId=id_)
        read = {
            "arn": key["Arn"],
            "keyId": key["KeyId"],
            "customerMasterKeySpec": key.get("KeySpec", "SYMMETRIC_DEFAULT"),
            "description": key.get("Description", ""),
            "enableKeyRotation": rotation["KeyRotationEnabled"],
            "isEnabled": key["Enabled"],
            "keyUsage": key["KeyUsage"],
            "multiRegion": key.get("MultiRegion", False),
            "policy": kms.get_key_policy(KeyId=id_, PolicyName="default")["Policy"],
            "tags": tag_map(kms.list_resource_tags(KeyId=id_)["Tags"], "Tag"),
        }
        if period := rotation.get("RotationPeriodInDays"):
            read["rotationPeriodInDays"] = period
        return read

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        kms = session.client("kms")
        if "isEnabled" in changed and inputs["isEnabled"]:
            kms.enable_key(KeyId=id_)
        if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
            if inputs.get("enableKeyRotation"):
                kms.enable_key_rotation(KeyId=id_, **given(inputs, "rotationPeriodInDays"))
            else:
                kms.disable_key_rotation(KeyId=id_)
        if "description" in changed:
            kms.update_key_description(KeyId=id_, Description=inputs.get("description", ""))
        if "policy" in changed:
            kms.put_key_policy(
                KeyId=id_,
                PolicyName="default",
                Policy=inputs["policy"],
                BypassPolicyLockoutSafetyCheck=inputs["bypassPolicyLockoutSafetyCheck"],
            )
        if "isEnabled" in changed and not inputs["isEnabled"]:
            kms.disable_key(KeyId=id_)

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("kms").tag_resource(KeyId=id_, Tags=tag_list(tags, "Tag"))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("kms").untag_resource(KeyId=id_, TagKeys=keys)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        window = state.get("deletionWindowInDays") or 30
        session.client("kms").schedule_key_deletion(KeyId=id_, PendingWindowInDays=window)


class Alias(Resource):
    """An alias of a key."""

    type = "aws:kms/alias:Alias"
    inputs = {
        "name": Input(
            computed=True,
            replaces=True,
            auto_name=AutoName(238, "alias/"),
            pattern=r"alias/(?!aws)[a-zA-Z0-9:/_-]+",
        ),
        "region": REGION,
        "targetKeyId": Input(required=True, form=lambda key: str(key).rsplit("/", 1)[-1]),
    }
    outputs = ("arn", "targetKeyArn")
    gone = frozenset({"NotFoundException"})

    def create(self, session: Session, inputs: Properties) -> str:
        session.client("kms").create_alias(
            AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"]
        )
        return str(inputs["name"])

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        pages = session.client("kms").get_paginator("list_aliases").paginate()
        for alias in (each for page in pages for each in page["Aliases"]):
            if alias["AliasName"] == id_ and (key := alias.get("TargetKeyId")):
                arn = alias["AliasArn"]
                return {
                    "arn": arn,
                    "name": id_,
                    "targetKeyId": key,
                    "targetKeyArn": f"{arn.rsplit(':', 1)[0]}:key/{key}",
                }
        return None

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        if "targetKeyId" in changed:
            session.client("kms").update_alias(AliasName=id_, TargetKeyId=inputs["targetKeyId"])

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("kms").delete_alias(AliasName=id_)
