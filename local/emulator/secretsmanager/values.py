"""Values of secrets: one per token, at most 64 KiB, under a key that the caller may use."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import base64
import json

from ministack.services import secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.secretsmanager.deletion import SUFFIX_CHARACTERS, random_suffix
from local.emulator.secretsmanager.shared import (
    CURRENT,
    READING,
    VALUE,
    WRITING,
    Data,
    Handler,
    constraint_error,
    has_value,
    key_of_version,
    refusal_of_key,
    usable_secret,
)

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
VALUE_BYTES = 65_536
NAME_CHARACTERS = 512


# The last to wrap a handler is the first to see a request: tokens here, then keys, then limits.


@replaces(secretsmanager, "_create_secret")
def create_version_only_with_value(original: Handler, data: Data) -> Response:
    """Give a new secret a version only with a value, named by the token, and a random suffix.

    ministack makes a version without a value, too.
    """
    existing = secretsmanager._secrets.get(data.get("Name"))
    if existing and (repeated := _answer_to_repeated(data, existing)):
        return repeated
    if existing and existing.get("DeletedDate"):
        return error_response(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled"
            " for deletion.",
        )
    response = original(data)
    if not succeeded(response):
        return response
    secret = secretsmanager._secrets[data["Name"]]
    secret["ARN"] = secret["ARN"][:-SUFFIX_CHARACTERS] + random_suffix()
    ((version_id, version),) = secret["Versions"].items()
    answer = {"ARN": secret["ARN"], "Name": secret["Name"]}
    if has_value(data):
        answer["VersionId"] = data.get("ClientRequestToken", version_id)
        secret["Versions"] = {answer["VersionId"]: version}
    else:
        secret["Versions"] = {}
    return json_response(answer)


@replaces(secretsmanager, "_put_secret_value")
def give_version_all_labels(original: Handler, data: Data) -> Response:
    """Give a version all labels that were asked for, and take them from where they were.

    ministack loses labels that are given next to AWSCURRENT.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
    """
    response = original(data)
    stages = data.get("VersionStages")
    if not succeeded(response) or not stages:
        return response
    answer = json.loads(response[2])
    _, secret = secretsmanager._resolve(data["SecretId"])
    for stage in stages:
        secretsmanager._remove_stage_everywhere(secret, stage, answer["VersionId"])
        secretsmanager._add_stage(secret, answer["VersionId"], stage)
    secretsmanager._sync_replicas(secret)
    return json_response(
        answer | {"VersionStages": list(secret["Versions"][answer["VersionId"]]["Stages"])}
    )


@replaces(secretsmanager, "_put_secret_value")
def ignore_repeated_token(original: Handler, data: Data) -> Response:
    """Ignore a request repeated with its token; refuse the token for another value.

    ministack overwrites the version.
    """
    secret = usable_secret(data)
    return (_answer_to_repeated(data, secret) if secret else None) or original(data)


@replaces(secretsmanager, "_update_secret")
def update_with_token(original: Handler, data: Data) -> Response:
    """Store the value as PutSecretValue does, which knows the token.

    ministack ignores the token.
    """
    secret = usable_secret(data)
    if secret is None or not has_value(data) or "ClientRequestToken" not in data:
        return original(data)
    repeated = _answer_to_repeated(data, secret)
    if repeated and not succeeded(repeated):
        return repeated
    original({name: value for name, value in data.items() if name not in VALUE})
    version = {"SecretId", "ClientRequestToken", *VALUE} & data.keys()
    response: Response = secretsmanager._put_secret_value({name: data[name] for name in version})
    return response


def _answer_to_repeated(data: Data, secret: Data) -> Response | None:
    """Answer a request whose token is a version already; None when it is not."""
    token = data.get("ClientRequestToken")
    version = secret["Versions"].get(token)
    if version is None or not has_value(version):
        return None
    if any(version.get(name) != data.get(name) for name in VALUE):
        return error_response(
            "ResourceExistsException",
            f"You can't use ClientRequestToken {token} because that value is already in use "
            f"for a version of secret {secret['ARN']}.",
        )
    stages = list(version["Stages"])
    return json_response(
        {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token, "VersionStages": stages}
    )


@replaces(secretsmanager, "_create_secret")
def check_key_on_creation(original: Handler, data: Data) -> Response:
    """Create a secret only with a usable key that the caller may use, even without a value.

    ministack does not check the key.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    """
    is_new = data.get("Name") not in secretsmanager._secrets
    response = original(data)
    if succeeded(response) and is_new:
        secret = secretsmanager._secrets[data["Name"]]
        if refusal := refusal_of_key(secret, WRITING):
            # Only now, because the key's conditions may name the secret's ARN.
            del secretsmanager._secrets[data["Name"]]
            return refusal
    return response


@replaces(secretsmanager, "_put_secret_value")
@replaces(secretsmanager, "_update_secret")
def check_key_on_writing(original: Handler, data: Data) -> Response:
    """Write a value, or change the key, only with a usable key that the caller may use.

    ministack does not check the key.
    """
    secret = usable_secret(data)
    if secret is None or secretsmanager._is_replica(secret):
        return original(data)  # it refuses them
    refusal = None
    moves = "KmsKeyId" in data and bool(secret["Versions"])
    if moves:  # its versions are read with the old key
        refusal = refusal_of_key(secret, READING)
    if moves or has_value(data):
        key = {"KmsKeyId": data.get("KmsKeyId", secret["KmsKeyId"]), "ARN": secret["ARN"]}
        refusal = refusal or refusal_of_key(key, WRITING)
    return refusal or original(data)


@replaces(secretsmanager, "_get_secret_value")
def check_key_on_reading(original: Handler, data: Data) -> Response:
    """Read a value only with a usable key that the caller may use; a batch reads one by one.

    ministack does not check the key.
    """
    response = original(data)
    secret = usable_secret(data)
    if not succeeded(response) or secret is None:
        return response
    version = secret["Versions"][json.loads(response[2])["VersionId"]]
    key = {"KmsKeyId": key_of_version(secret, version), "ARN": secret["ARN"]}
    return refusal_of_key(key, READING) or response


@replaces(secretsmanager, "_get_secret_value")
def refuse_to_read_missing_value(original: Handler, data: Data) -> Response:
    """Answer that there is no such version, or that it has no value yet.

    ministack has other words for the first, and answers the second without a value.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    """
    response = original(data)
    answer = json.loads(response[2])
    is_missing = answer.get("__type") == "ResourceNotFoundException"
    is_empty = succeeded(response) and not has_value(answer)
    if usable_secret(data) is None or not (is_missing or is_empty):
        return response
    asked = (
        f"VersionId: {data['VersionId']}"
        if "VersionId" in data
        else f"staging label: {data.get('VersionStage', CURRENT)}"
    )
    return error_response(
        "ResourceNotFoundException",
        f"Secrets Manager can't find the specified secret value for {asked}",
    )


@replaces(secretsmanager, "_get_secret_value")
def check_stage_of_version(original: Handler, data: Data) -> Response:
    """Refuse a version id together with a staging label of another version.

    ministack ignores the label.
    """
    response = original(data)
    stage = data.get("VersionStage")
    if succeeded(response) and stage and stage not in json.loads(response[2])["VersionStages"]:
        return error_response(
            "InvalidRequestException",
            "You provided a VersionStage that is not associated to the provided VersionId.",
        )
    return response


@replaces(secretsmanager, "_create_secret")
@replaces(secretsmanager, "_put_secret_value")
@replaces(secretsmanager, "_update_secret")
def limit_value(original: Handler, data: Data) -> Response:
    """Refuse a value of more than 64 KiB, and one given both as text and as bytes.

    ministack has no such limits.
    """
    if all(name in data for name in VALUE):
        return error_response(
            "InvalidParameterException",
            "You can't specify both SecretString and SecretBinary in the same request.",
        )
    sizes = {
        "secretString": len(data.get("SecretString", "").encode()),
        "secretBinary": len(base64.b64decode(data.get("SecretBinary", ""))),
    }
    for member, size in sizes.items():
        if size > VALUE_BYTES:
            return constraint_error(member, f"have length less than or equal to {VALUE_BYTES}")
    return original(data)


@replaces(secretsmanager, "_put_secret_value")
def require_value(original: Handler, data: Data) -> Response:
    """Refuse to put a version without a value.

    ministack makes the version.
    """
    if not has_value(data):
        return error_response(
            "InvalidParameterException", "You must provide either SecretString or SecretBinary."
        )
    return original(data)


@replaces(secretsmanager, "_create_secret")
def limit_name(original: Handler, data: Data) -> Response:
    """Refuse a name of more than 512 characters.

    ministack takes any length.
    """
    if len(data.get("Name", "")) > NAME_CHARACTERS:
        return constraint_error("name", f"have length less than or equal to {NAME_CHARACTERS}")
    return original(data)
