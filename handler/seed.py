"""Seeds a secret inside AWS: plain fields as given, generated ones made once and then kept.

Its answer, its errors and its log hold names of fields only, never a value.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

# A role's policies reach every part of IAM some seconds after they are attached, and a rotation
# takes about as long.
_RETRY_SECONDS = 1.0
_WAIT_SECONDS = 20.0
_Found = tuple[str | None, dict[str, Any]]


class SeedError(Exception):
    """The secret could not be seeded; what it held is untouched."""


class RotationUnderWay(SeedError):
    """A new version would end a rotation, perhaps when the server knows the new password only."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Merge a seed into a secret.

    Args:
        event: ``SecretId``; ``Fields``, name -> plain value; ``First``, the same, written only
            when missing; ``Generate``, name -> parameters of GetRandomPassword in its own words.
        context: what Lambda hands over.

    Returns:
        ``VersionId`` that is current now, and the sorted names ``Generated`` and ``Updated``.

    Raises:
        SeedError: the secret holds something that is not a JSON object.
        ClientError: Secrets Manager refused; the text is AWS's and holds no value.

    """
    secrets = boto3.client("secretsmanager")
    # All of this may be done again.
    return _patiently(lambda: _merge(secrets, event))


def _merge(secrets: Any, event: dict[str, Any]) -> dict[str, Any]:
    secret_id = event["SecretId"]
    version, current = _read(secrets, secret_id)
    seeded = event.get("First", {}) | current | event["Fields"]
    missing = {name: rules for name, rules in event["Generate"].items() if not seeded.get(name)}
    for name, rules in missing.items():
        seeded[name] = secrets.get_random_password(**rules)["RandomPassword"]
    updated = [
        name
        for name in {**event["Fields"], **event.get("First", {})}
        if name not in current or current[name] != seeded[name]
    ]
    if missing or updated:
        if _is_rotated(secrets, secret_id):
            raise RotationUnderWay(
                f"{secret_id} is being rotated, or its last rotation has failed: see the log of"
                " its rotation function, then deploy again"
            )
        if _read(secrets, secret_id)[0] != version:
            return _merge(secrets, event)  # a rotation has come between
        text = json.dumps(seeded)
        version = secrets.put_secret_value(SecretId=secret_id, SecretString=text)["VersionId"]
    return {"VersionId": version, "Generated": sorted(missing), "Updated": sorted(updated)}


def _read(secrets: Any, secret_id: str) -> _Found:
    try:
        answer = secrets.get_secret_value(SecretId=secret_id)
    except secrets.exceptions.ResourceNotFoundException:
        return None, {}  # no value yet: a secret that does not exist refuses the write
    try:
        value = json.loads(answer["SecretString"])
    except (KeyError, ValueError):
        value = None  # a decoding error would quote what it could not decode
    if not isinstance(value, dict):
        raise SeedError(
            f"{secret_id} holds a value that is not a JSON object, so no field can be kept; give"
            " it `from: external`, or delete its value"
        )
    return answer["VersionId"], value


def _is_rotated(secrets: Any, secret_id: str) -> bool:
    stages = secrets.describe_secret(SecretId=secret_id).get("VersionIdsToStages", {}).values()
    return any("AWSPENDING" in each and "AWSCURRENT" not in each for each in stages)


def _patiently(merge: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Wait for what passes: grants that have not all arrived, a rotation under way."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            return merge()
        except RotationUnderWay:
            if time.monotonic() > deadline:
                raise
        except ClientError as error:
            denied = error.response["Error"]["Code"] == "AccessDeniedException"
            if not denied or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)
