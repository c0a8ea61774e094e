"""Secrets Manager: secrets, their versions, policies and rotation.

The real provider retries for two minutes to create a secret whose name is scheduled for deletion,
or to rotate one that Secrets Manager cannot rotate yet. Here everything is consistent immediately,
so only a rotation in progress is waited for, for seconds.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

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
    tag_list,
    tag_map,
)

_GONE = frozenset({"ResourceNotFoundException", "InvalidRequestException"})
_NO_POLICY = ("", "{}")
_CURRENT = "AWSCURRENT"
_ROTATION_SECONDS = 15
_RETRY_SECONDS = 0.2


def _client(session: Session) -> Any:
    return session.client("secretsmanager")


def _replicas(replicas: Any) -> object:
    """Normalize replicas: compared by region and key, without their status."""
    if not isinstance(replicas, list):
        return replicas
    return sorted((each["region"], each.get("kmsKeyId") or "") for each in replicas) or None


def _regions(replicas: Iterable[Properties]) -> list[Properties]:
    return [given(each, "region", "kmsKeyId") for each in replicas]


def _put_policy(session: Session, secret: str, policy: str, **options: bool) -> None:
    _client(session).put_resource_policy(
        SecretId=secret, ResourcePolicy=forms.compact(policy), **options
    )


def _policy(session: Session, secret: str) -> str:
    answer = _client(session).get_resource_policy(SecretId=secret)
    return str(answer.get("ResourcePolicy", ""))


def _described(session: Session, secret: str) -> Any:
    """Describe a secret; None if it is scheduled for deletion."""
    answer = _client(session).describe_secret(SecretId=secret)
    return None if "DeletedDate" in answer else answer


class Secret(Resource):
    """A secret without a value; deleting it schedules its deletion."""

    type = "aws:secretsmanager/secret:Secret"
    inputs = {
        "description": Input(),
        "forceOverwriteReplicaSecret": Input(default=False),
        "kmsKeyId": Input(),
        "name": Input(
            computed=True,
            replaces=True,
            auto_name=AutoName(),
            pattern=r"[0-9A-Za-z/_+=.@-]+",
            length=(1, 512),
        ),
        "policy": Input(computed=True, json=True, form=forms.policy),
        "recoveryWindowInDays": Input(default=30, bounds=(7, 30), also=(0,)),
        "region": REGION,
        "replicas": Input(
            form=_replicas,
            fields={
                "kmsKeyId": Input(computed=True),
                "lastAccessedDate": Input(computed=True),
                "region": Input(required=True),
                "status": Input(computed=True),
                "statusMessage": Input(computed=True),
            },
        ),
        "tags": TAGS,
    }
    outputs = ("arn",)
    gone = frozenset({"ResourceNotFoundException"})

    def create(self, session: Session, inputs: Properties) -> str:
        replicas = _regions(inputs.get("replicas") or [])
        secret = _client(session).create_secret(
            **given(inputs, "name", "kmsKeyId"),
            Description=inputs.get("description", ""),
            ForceOverwriteReplicaSecret=inputs["forceOverwriteReplicaSecret"],
            Tags=tag_list(inputs["tags"]),
            **({"AddReplicaRegions": replicas} if replicas else {}),
        )["ARN"]
        if inputs.get("policy", "") not in _NO_POLICY:
            with already_created(secret):
                _put_policy(session, secret, inputs["policy"])
        return str(secret)

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        if (secret := _described(session, id_)) is None:
            return None
        replicas = [
            {**camel(each), "lastAccessedDate": str(each.get("LastAccessedDate", ""))}
            for each in secret.get("ReplicationStatus", [])
        ]
        return {
            "arn": secret["ARN"],
            "description": secret.get("Description", ""),
            "kmsKeyId": secret.get("KmsKeyId", ""),
            "name": secret["Name"],
            "policy": _policy(session, id_),
            "replicas": sorted(replicas, key=lambda each: str(each["region"])),
            "tags": tag_map(secret.get("Tags", [])),
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        client = _client(session)
        if "replicas" in changed:
            self._replicate(session, id_, state.get("replicas") or [], inputs)
        if changed & {"description", "kmsKeyId"}:
            client.update_secret(
                SecretId=id_,
                Description=inputs.get("description", ""),
                **given(inputs, "kmsKeyId"),
            )
        if "policy" in changed:
            if inputs["policy"] in _NO_POLICY:
                client.delete_resource_policy(SecretId=id_)
            else:
                _put_policy(session, id_, inputs["policy"])

    def _replicate(
        self, session: Session, secret: str, old: list[Properties], inputs: Properties
    ) -> None:
        before, after = (
            {(each["region"], each.get("kmsKeyId") or ""): each for each in replicas}
            for replicas in (old, inputs.get("replicas") or [])
        )
        if left := [region for region, key in before.keys() - after.keys()]:
            _client(session).remove_regions_from_replication(
                SecretId=secret, RemoveReplicaRegions=sorted(left)
            )
        if came := sorted(after.keys() - before.keys()):
            _client(session).replicate_secret_to_regions(
                SecretId=secret,
                AddReplicaRegions=_regions(after[key] for key in came),
                ForceOverwriteReplicaSecret=inputs["forceOverwriteReplicaSecret"],
            )

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        _client(session).tag_resource(SecretId=id_, Tags=tag_list(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        _client(session).untag_resource(SecretId=id_, TagKeys=keys)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        client = _client(session)
        if regions := [each["region"] for each in state.get("replicas") or []]:
            client.remove_regions_from_replication(SecretId=id_, RemoveReplicaRegions=regions)
        window = state.get("recoveryWindowInDays", 30)
        client.delete_secret(
            SecretId=id_,
            **(
                {"RecoveryWindowInDays": window}
                if window
                else {"ForceDeleteWithoutRecovery": True}
            ),
        )


class SecretVersion(Resource):
    """A version of a secret. The current version stays current when it is deleted."""

    type = "aws:secretsmanager/secretVersion:SecretVersion"
    inputs = {
        "region": REGION,
        "secretId": Input(required=True, replaces=True),
        "secretString": Input(replaces=True, sensitive=True),
        "versionStages": Input(computed=True, form=forms.unordered),
    }
    outputs = ("arn", "hasSecretStringWo", "secretArn", "versionId")
    gone = _GONE

    def create(self, session: Session, inputs: Properties) -> str:
        version = _client(session).put_secret_value(
            **given(inputs, "secretId", "secretString", "versionStages")
        )
        return f"{inputs['secretId']}|{version['VersionId']}"

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        secret, version = id_.split("|", 1)
        value = _client(session).get_secret_value(SecretId=secret, VersionId=version)
        return {
            "arn": value["ARN"],
            "hasSecretStringWo": None,
            "secretArn": value["ARN"],
            "secretId": secret,
            "secretString": value.get("SecretString", ""),
            "versionId": value["VersionId"],
            "versionStages": value["VersionStages"],
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        client, (secret, version) = _client(session), id_.split("|", 1)
        old, new = set(state["versionStages"]), set(inputs["versionStages"])
        for stage in sorted(new - old):
            source = _version(client, secret, stage) if stage == _CURRENT else None
            client.update_secret_version_stage(
                SecretId=secret,
                VersionStage=stage,
                MoveToVersionId=version,
                **({"RemoveFromVersionId": source} if source else {}),
            )
        # When AWSCURRENT moved, Secrets Manager moved AWSPREVIOUS too.
        kept = {"AWSPREVIOUS"} if _CURRENT in new - old else set()
        self._unlabel(session, id_, old - new - kept)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        self._unlabel(session, id_, state.get("versionStages") or [])

    def _unlabel(self, session: Session, id_: str, stages: Iterable[str]) -> None:
        secret, version = id_.split("|", 1)
        for stage in sorted({*stages} - {_CURRENT}):  # a secret cannot be without it
            _client(session).update_secret_version_stage(
                SecretId=secret, VersionStage=stage, RemoveFromVersionId=version
            )


def _version(client: Any, secret: str, stage: str) -> str | None:
    """Return the version with a staging label."""
    pages = client.get_paginator("list_secret_version_ids").paginate(SecretId=secret)
    versions = (version for page in pages for version in page["Versions"])
    return next((each["VersionId"] for each in versions if stage in each["VersionStages"]), None)


class SecretPolicy(Resource):
    """The resource policy of a secret."""

    type = "aws:secretsmanager/secretPolicy:SecretPolicy"
    inputs = {
        "blockPublicPolicy": Input(),
        "policy": Input(required=True, json=True, form=forms.policy),
        "region": REGION,
        "secretArn": Input(required=True, replaces=True, arn=True),
    }
    gone = _GONE

    def create(self, session: Session, inputs: Properties) -> str:
        self._put(session, inputs)
        return str(inputs["secretArn"])

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        return {"policy": _policy(session, id_), "secretArn": id_}

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        self._put(session, inputs)

    def _put(self, session: Session, inputs: Properties) -> None:
        blocks = bool(inputs.get("blockPublicPolicy"))
        _put_policy(session, inputs["secretArn"], inputs["policy"], BlockPublicPolicy=blocks)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        _client(session).delete_resource_policy(SecretId=id_)


class SecretRotation(Resource):
    """The schedule and the function of a secret's rotation."""

    type = "aws:secretsmanager/secretRotation:SecretRotation"
    inputs = {
        "region": REGION,
        "rotateImmediately": Input(default=True),
        "rotationEnabled": Input(computed=True),
        "rotationLambdaArn": Input(arn=True),
        "rotationRules": Input(
            fields={
                "automaticallyAfterDays": Input(bounds=(1, 1000)),
                # As in the provider, a single one of these characters is enough.
                "duration": Input(pattern=".*[0-9h].*"),
                "scheduleExpression": Input(pattern=r".*[0-9A-Za-z()#?*\-/, ].*"),
            }
        ),
        "secretId": Input(required=True, replaces=True),
    }
    at_least_one_of = (("rotationRules", "rotationEnabled"),)
    gone = frozenset({"ResourceNotFoundException"})
    deleted = frozenset()

    def create(self, session: Session, inputs: Properties) -> str:
        return self._put(session, inputs)

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        if (secret := _described(session, id_)) is None:
            return None
        rules = secret.get("RotationRules", {})
        if rules.get("ScheduleExpression"):  # then AWS computes the days
            rules = {key: rules[key] for key in rules if key != "AutomaticallyAfterDays"}
        enabled = secret.get("RotationEnabled", False)
        return {
            "rotationEnabled": enabled,
            "rotationLambdaArn": secret.get("RotationLambdaARN", "") if enabled else "",
            "rotationRules": camel(rules) if enabled else None,
            "secretId": id_,
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        if changed - {"rotateImmediately"}:
            self._put(session, inputs)

    def _put(self, session: Session, inputs: Properties) -> str:
        client, secret = _client(session), inputs["secretId"]
        if inputs.get("rotationEnabled") is False:
            return str(client.cancel_rotate_secret(SecretId=secret)["ARN"])
        rules = given(
            inputs.get("rotationRules") or {}, *self.inputs["rotationRules"].fields or ()
        )
        function = inputs.get("rotationLambdaArn")
        deadline = time.monotonic() + _ROTATION_SECONDS
        while True:
            try:
                rotated = client.rotate_secret(
                    SecretId=secret,
                    RotateImmediately=inputs["rotateImmediately"],
                    RotationRules=rules,
                    **({"RotationLambdaARN": function} if function else {}),
                )
            except ClientError as error:
                under_way = error.response["Error"]["Code"] == "InvalidRequestException"
                if not under_way or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_SECONDS)
            else:
                return str(rotated["ARN"])

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        _client(session).cancel_rotate_secret(SecretId=state["secretId"])

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        rules = inputs.get("rotationRules")
        if not rules:
            return
        if inputs.get("rotationEnabled") is False:
            yield "rotationRules", "cannot be set when rotationEnabled is false"
        if bool(rules.get("automaticallyAfterDays")) == bool(rules.get("scheduleExpression")):
            yield (
                "rotationRules",
                "exactly one of automaticallyAfterDays and scheduleExpression must be set",
            )
