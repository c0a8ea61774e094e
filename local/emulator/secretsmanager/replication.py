"""Secrets Manager: replicas of a secret in other regions, under keys of those regions.

Replication is done when the call is answered; on AWS it takes some seconds. A replica keeps the
key that it was first requested with. The caller who writes a value needs that key.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import contextvars
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import ec2, kms, secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.secretsmanager.shared import (
    READING,
    VALUE,
    Data,
    Handler,
    refusal_of_key,
    usable_secret,
)

# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ReplicateSecretToRegions.html
REPLICATING = ("kms:GenerateDataKey", "kms:Encrypt")

_WRITING = ("PutSecretValue", "UpdateSecret")

_operation: contextvars.ContextVar[str] = contextvars.ContextVar("operation", default="")

_EXISTS = "Secret with this name already exists in this region"
_CLOSED = "No permissions available on the KMS key to complete the replication"
_UNUSABLE = "The KMS key is disabled or not found"
_SUCCEEDED = "Replication succeeded"


@replaces(secretsmanager, "handle_request")
async def handle_removal_and_promotion(
    original: Callable[..., Awaitable[Response]], *request: Any
) -> Response:
    """Answer RemoveRegionsFromReplication and StopReplicationToReplica.

    ministack lacks the operations.
    """
    _method, _path, headers, body, _query = request
    handlers = {
        "RemoveRegionsFromReplication": _remove_regions,
        "StopReplicationToReplica": _promote,
    }
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    _operation.set(operation)
    handler = handlers.get(operation)
    return handler(json.loads(body)) if handler else await original(*request)


def _remove_regions(data: Data) -> Response:
    """Delete replicas, at once.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RemoveRegionsFromReplication.html
    """
    secret = usable_secret(data)
    if secret is None or secretsmanager._is_replica(secret):
        response: Response = secretsmanager._replicate_secret_to_regions(data)  # it refuses them
        return response
    statuses = secret["ReplicationStatus"]
    removed = [each for each in statuses if each["Region"] in data["RemoveReplicaRegions"]]
    secretsmanager._delete_replicas(secret | {"ReplicationStatus": removed})
    secret["ReplicationStatus"] = [each for each in statuses if each not in removed]
    return json_response({"ARN": secret["ARN"], "ReplicationStatus": secret["ReplicationStatus"]})


def _promote(data: Data) -> Response:
    """Make a replica a secret of its own, in its region, that no longer rotates.

    AWS does not document its answer for a secret that is not a replica.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_StopReplicationToReplica.html
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/standalone-secret.html
    """
    secret = usable_secret(data)
    if secret is None:
        response: Response = secretsmanager._describe_secret(data)  # it refuses what is not there
        return response
    if not secretsmanager._is_replica(secret):
        return error_response(
            "InvalidRequestException", f"{secret['ARN']} is not a replica secret."
        )
    secretsmanager._unlink_from_primary(secret)
    del secret["_PrimarySecretArn"], secret["_PrimaryRegion"]
    secret |= {"RotationEnabled": False, "RotationLambdaARN": None, "RotationRules": None}
    return json_response({"ARN": secret["ARN"]})


@replaces(secretsmanager, "_replicate_secret_to_regions")
def report_failed_replication(original: Handler, data: Data) -> Response:
    """Check both keys, keep existing secrets, and show a failure in the status of its region.

    In ministack, replication never fails.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets_troubleshoot.html
    """
    secret, asked = usable_secret(data), data.get("AddReplicaRegions", [])
    regions = {each["Region"] for each in asked}
    if unknown := regions - {name for name, _ in ec2._AWS_REGIONS}:
        return error_response(
            "InvalidParameterException", f"Invalid replica region: {', '.join(sorted(unknown))}"
        )
    if secret is None or secretsmanager._is_replica(secret) or get_region() in regions:
        return original(data)  # it refuses them
    overwrite = bool(data.get("ForceOverwriteReplicaSecret"))
    failures = {
        each["Region"]: {**each, "Status": "Failed", "StatusMessage": why}
        for each in asked
        if (why := _failure(secret, each, overwrite=overwrite))
    }
    original(
        data | {"AddReplicaRegions": [each for each in asked if each["Region"] not in failures]}
    )
    secret["ReplicationStatus"] = [
        each | ({"StatusMessage": _SUCCEEDED} if each["Status"] == "InSync" else {})
        for each in secret["ReplicationStatus"]
        if each["Region"] not in failures
    ] + list(failures.values())
    return json_response({"ARN": secret["ARN"], "ReplicationStatus": secret["ReplicationStatus"]})


def _failure(secret: Data, asked: Data, *, overwrite: bool) -> str:
    region, arn = asked["Region"], secretsmanager._secret_arn_for_region(secret, asked["Region"])
    existing = secretsmanager._secrets.get_scoped(get_account_id(), region, secret["Name"])
    if existing and existing["ARN"] != arn and not overwrite:
        return _EXISTS
    if secret["Versions"] and refusal_of_key(secret, READING):
        return _CLOSED
    return _failure_there({**asked, "ARN": arn}, region, encrypts=True)


def _failure_there(replica: Data, region: str, *, encrypts: bool) -> str:
    with request_scope(get_account_id(), region):
        if not _is_usable(replica.get("KmsKeyId")):
            return _UNUSABLE
        return _CLOSED if encrypts and refusal_of_key(replica, REPLICATING) else ""


def _is_usable(key_id: str | None) -> bool:
    """Return whether a key of the request's region, or AWS's own, encrypts."""
    if not key_id or key_id.endswith("alias/aws/secretsmanager"):
        return True
    key = kms._resolve_key(key_id)
    return key is not None and key["KeyState"] == "Enabled"


@replaces(secretsmanager, "_sync_replicas")
def sync_replicas_by_key(original: Callable[[Data], None], secret: Data) -> None:
    """Keep a replica as it is where its key refuses a value, and show that in its status.

    ministack does not check the key.

    The caller who writes the value needs the keys. AWS does not document whether it tries again
    before the next value. Here it does not: the next caller may have other permissions.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets_troubleshoot.html
    """
    account, name, kept = get_account_id(), secret["Name"], {}
    for status in secret["ReplicationStatus"]:
        region = status["Region"]
        replica = secretsmanager._secrets.get_scoped(account, region, name)
        if replica is None or replica.get("_PrimarySecretArn") != secret["ARN"]:
            continue
        is_behind = _is_behind(replica, secret)
        if is_behind and _operation.get() not in _WRITING:
            kept[region] = replica
            continue
        closed = is_behind and refusal_of_key(secret, READING)
        why = _CLOSED if closed else _failure_there(replica, region, encrypts=is_behind)
        if why:
            kept[region] = replica
        status["Status"] = "Failed" if why else "InSync"
        status["StatusMessage"] = why or _SUCCEEDED
    original(secret)
    for region, replica in kept.items():
        secretsmanager._secrets.set_scoped(account, region, name, replica)


def _is_behind(replica: Data, secret: Data) -> bool:
    """Return whether a secret has a value that its replica lacks."""
    known = replica["Versions"]
    return any(
        version.get(name) != known.get(version_id, {}).get(name)
        for version_id, version in secret["Versions"].items()
        for name in VALUE
    )


@replaces(secretsmanager, "_create_secret")
def create_replicas(original: Handler, data: Data) -> Response:
    """Make the replicas of `AddReplicaRegions`, too.

    ministack makes none.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    """
    asked = {"AddReplicaRegions", "ForceOverwriteReplicaSecret"} & data.keys()
    response = original(data)
    if "AddReplicaRegions" not in asked or not succeeded(response):
        return response
    request = {"SecretId": data["Name"]} | {name: data[name] for name in asked}
    replicated: Response = secretsmanager._replicate_secret_to_regions(request)
    if not succeeded(replicated):
        del secretsmanager._secrets[data["Name"]]
        return replicated
    return json_response(json.loads(response[2]) | json.loads(replicated[2]))


@replaces(secretsmanager, "_delete_secret")
def refuse_to_delete_replicated_secret(original: Handler, data: Data) -> Response:
    """Refuse to delete a secret that has replicas.

    ministack deletes the replicas, too.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
    """
    secret = usable_secret(data)
    if secret is None or not secret["ReplicationStatus"]:
        return original(data)
    regions = ", ".join(each["Region"] for each in secret["ReplicationStatus"])
    return error_response(
        "InvalidParameterException",
        f"You can't delete secret {secret['ARN']} that still has replica regions [{regions}].",
    )


@replaces(secretsmanager, "_put_resource_policy")
@replaces(secretsmanager, "_delete_resource_policy")
def refuse_policy_of_replica(original: Handler, data: Data) -> Response:
    """Refuse to change a replica's resource policy, which is the secret's.

    ministack gives a replica one of its own.
    """
    secret = usable_secret(data)
    if secret and secretsmanager._is_replica(secret):
        response: Response = secretsmanager._replica_mutation_error()
        return response
    return original(data)


@replaces(secretsmanager, "_replica_mutation_error")
def word_refusal_of_replica(_original: Callable[[], Response]) -> Response:
    """Refuse to change a replica in AWS's words.

    ministack has other words.
    """
    return error_response(
        "InvalidParameterException",
        "Operation not permitted on a replica secret. Call must be made in primary secret's"
        " region.",
    )
