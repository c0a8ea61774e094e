"""Keys: how requests name them, how they are described, and how they are replicated."""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

import json
import re
import time
from collections.abc import Callable

from ministack.core.responses import get_region
from ministack.services import kms

from local.emulator.core import loop
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.kms.shared import Data, Handler

CREATING_SECONDS = 1.0
"""AWS takes up to a minute."""
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_MISSING = re.compile(r"(?:Key|Alias) (\S+) not found")


@replaces(kms, "error_response_json")
def name_missing_key(
    original: Callable[..., Response], code: str, message: str, *rest: int
) -> Response:
    """Answer in AWS's words that a key or alias is missing.

    ministack has the same words for a missing key, a malformed id and the ARN of another region.

    https://docs.aws.amazon.com/kms/latest/developerguide/find-cmk-id-arn.html
    """
    missing = _MISSING.fullmatch(message)
    if code == "NotFoundException" and missing:
        message = _words_for(missing[1])
    return original(code, message, *rest)


def _words_for(named: str) -> str:
    region, resource = get_region(), named
    if named.startswith("arn:"):
        region, resource = named.split(":")[3], named.split(":", 5)[-1]
    if region != get_region():
        return f"Invalid arn {region}"
    if resource.startswith("alias/"):
        return f"Alias {kms._alias_arn(resource)} is not found."
    key_id = resource.removeprefix("key/")
    if _ID.fullmatch(key_id):
        return f"Key '{named if named.startswith('arn:') else kms._arn(key_id)}' does not exist"
    return f"Invalid keyId '{key_id}'"


@replaces(kms, "_key_metadata")
def describe_as_aws(original: Callable[[Data], Data], key: Data) -> Data:
    """Name the account, and omit algorithms that a key does not have.

    ministack names no account, and answers with empty lists.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
    """
    metadata = original(key) | {"AWSAccountId": key["Arn"].split(":")[4]}
    if key.get("_is_managed_by_aws"):
        metadata["KeyManager"] = "AWS"
    lists = ("EncryptionAlgorithms", "MacAlgorithms", "SigningAlgorithms")
    return {name: value for name, value in metadata.items() if value or name not in lists}


@replaces(kms, "_create_key")
def note_time_of_creation(original: Handler, data: Data) -> Response:
    """Note the time of creation to the millisecond.

    ministack cuts off the milliseconds.
    """
    response = original(data)
    if not succeeded(response):
        return response
    metadata = json.loads(response[2])["KeyMetadata"]
    created = kms._keys[metadata["KeyId"]]["CreationDate"] = round(time.time(), 3)
    return json_response({"KeyMetadata": metadata | {"CreationDate": created}})


@replaces(kms, "_replicate_key")
def take_time_to_replicate(original: Handler, data: Data) -> Response:
    """Make a replica that can be used only some time later, of a primary key only.

    In ministack, it can be used at once.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html
    """
    key = kms._resolve_key(data.get("KeyId", ""))
    if key and key.get("_mrk_type") == "REPLICA":
        return error_response(
            "UnsupportedOperationException", f"{key['Arn']} is not a multi-region primary key."
        )
    response = original(data)
    if not succeeded(response):
        return response
    answer = json.loads(response[2])
    scope = key["Arn"].split(":")[4], data["ReplicaRegion"]
    replica = kms._keys.get_scoped(*scope, key["KeyId"])
    _set_state(replica, "Creating")
    loop.later(CREATING_SECONDS, _finish_replica, replica)
    answer["ReplicaKeyMetadata"] |= {"KeyState": "Creating", "Enabled": False}
    if not answer["ReplicaTags"]:
        del answer["ReplicaTags"]
    return json_response(answer)


def _finish_replica(replica: Data) -> None:
    if replica["KeyState"] == "Creating":
        _set_state(replica, "Enabled")


def _set_state(key: Data, state: str) -> None:
    key |= {"KeyState": state, "Enabled": state == "Enabled"}
