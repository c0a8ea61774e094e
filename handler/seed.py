"""Seeds a secret inside AWS: plain fields as given, generated ones made once and then kept.

A SecureString parameter, which is one value, it makes if there is none. Its answer, its errors and
its log hold names of fields only, never a value.
"""

import json
import shlex
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

# A role's policies reach every part of IAM some seconds after they are attached, and a rotation
# takes about as long.
_RETRY_SECONDS = 1.0
_WAIT_SECONDS = 20.0
_ALTERNATING = ("username", "alternateUsername")
_Found = tuple[str | None, dict[str, Any]]


class SeedError(Exception):
    """The secret or parameter could not be seeded; what it held is untouched.

    Its text is shown as JSON, so its commands hold nothing that JSON escapes.
    """


class RotationUnderWay(SeedError):
    """A new version would end a rotation, perhaps when the server knows the new password only."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Merge a seed into a secret, or make a parameter.

    Args:
        event: `SecretId`; `Fields`, name -> plain value; `Generate`, name -> rules for
            GetRandomPassword in a stack file's words, such as `length`, or in its own. Or
            `Parameter`, the request of PutParameter but for the value, and `Generate`, the
            rules for that.
        context: what Lambda hands over.

    Returns:
        `VersionId` that is current now, and the sorted names `Generated` and `Updated`.

    Raises:
        SeedError: the secret holds something that is not a JSON object, or the parameter is there
            and cannot be read as it is wanted.
        ClientError: AWS refused; the text is its own and holds no value.

    """
    secrets = boto3.client("secretsmanager")
    # All of this may be done again.
    if "Parameter" not in event:
        return _patiently(lambda: _merge(secrets, event))
    try:
        return _patiently(lambda: _make_parameter(secrets, event))
    except ClientError as error:
        if error.operation_name != "GetParameter":
            raise
        name, key = event["Parameter"]["Name"], event["Parameter"]["KeyId"]
        raise SeedError(
            f"{name} cannot be read: {error}; an earlier environment may have left it, under a key"
            " of its own. To keep the value, restore that key (aws kms cancel-key-deletion, then"
            f" enable-key), and encrypt it with this one: `aws ssm get-parameter --name {name}"
            " --with-decryption --query Parameter.Value --output json | jq -j . | aws ssm"
            f" put-parameter --name {name} --overwrite --type SecureString --key-id {key} --value"
            f" file:///dev/stdin`. If nobody needs it: `aws ssm delete-parameter --name {name}`"
        ) from error


def _make_parameter(secrets: Any, event: dict[str, Any]) -> dict[str, Any]:
    ssm, wanted = boto3.client("ssm"), event["Parameter"]
    try:
        # Decrypted, to know that it can be: it may have outlived the key it is under.
        found = ssm.get_parameter(Name=wanted["Name"], WithDecryption=True)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        value = secrets.get_random_password(**_request(event["Generate"]))["RandomPassword"]
        # Without `Overwrite`: one that has come between is kept.
        made = ssm.put_parameter(**wanted, Value=value)
        return {"VersionId": str(made["Version"]), "Generated": ["Value"], "Updated": []}
    if found["Type"] != wanted["Type"]:
        raise SeedError(
            f"{wanted['Name']} is there already, as a {found['Type']}, which is not encrypted."
            " Choose another name; or, if nobody needs it:"
            f" `aws ssm delete-parameter --name {wanted['Name']}`"
        )
    return {"VersionId": str(found["Version"]), "Generated": [], "Updated": []}


def _request(rules: dict[str, Any]) -> dict[str, Any]:
    """Write the request of GetRandomPassword; rules in its own words stay as they are."""
    return {
        "PasswordLength" if word == "length" else word[0].upper() + word[1:]: given
        for word, given in rules.items()
    }


def _merge(secrets: Any, event: dict[str, Any]) -> dict[str, Any]:
    secret_id = event["SecretId"]
    version, current = _read(secrets, event)
    fields = event["Fields"]
    if "alternateUsername" in current:  # which of the two users it is, rotation has decided
        fields = {name: plain for name, plain in fields.items() if name not in _ALTERNATING}
    seeded = current | fields
    missing = {name: rules for name, rules in event["Generate"].items() if not seeded.get(name)}
    for name, rules in missing.items():
        seeded[name] = secrets.get_random_password(**_request(rules))["RandomPassword"]
    updated = [name for name in fields if name not in current or current[name] != seeded[name]]
    if missing or updated:
        if _is_rotated(secrets, secret_id):
            raise RotationUnderWay(
                f"{secret_id} is being rotated, or its last rotation has failed: see the log of"
                " its rotation function, then deploy again"
            )
        if _read(secrets, event)[0] != version:
            return _merge(secrets, event)  # a rotation has come between
        text = json.dumps(seeded)
        version = secrets.put_secret_value(SecretId=secret_id, SecretString=text)["VersionId"]
    return {"VersionId": version, "Generated": sorted(missing), "Updated": sorted(updated)}


def _read(secrets: Any, event: dict[str, Any]) -> _Found:
    secret_id = event["SecretId"]
    try:
        answer = secrets.get_secret_value(SecretId=secret_id)
    except secrets.exceptions.ResourceNotFoundException:
        return None, {}  # no value yet: a secret that does not exist refuses the write
    try:
        value = json.loads(answer["SecretString"])
    except (KeyError, ValueError):
        value = None  # a decoding error would quote what it could not decode
    if not isinstance(value, dict):
        field = shlex.quote(next(iter(event["Generate"]), "value"))
        raise SeedError(
            f"{secret_id} holds a value that is not a JSON object, so no field can be kept. Put a"
            f" JSON object there, for instance with the text as {field}, and deploy again:"
            f" `aws secretsmanager get-secret-value --secret-id {secret_id} --query SecretString"
            f" --output json | jq --arg field {field} '{{($field): .}}' | aws secretsmanager"
            f" put-secret-value --secret-id {secret_id} --secret-string file:///dev/stdin`. Until"
            " then `from: external` leaves the value alone, and lets other changes through"
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
