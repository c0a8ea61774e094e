"""The seeder: generates initial values inside AWS, so that no deployment sees them.

It writes a secret's plain fields, and generates each other field once and then keeps it. It
creates a SecureString parameter, which has one value, if it is missing. Its response, errors and
log have only names of fields, never a value.
"""

import shlex
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

import secret_json
import seed_versions

# A role's policies are effective everywhere in IAM some seconds after they are attached, and a
# rotation takes about as long.
_RETRY_SECONDS = 1.0
_WAIT_SECONDS = 20.0
_ALTERNATING = ("username", "alternateUsername")
# Placeholders in a field that is not generated yet. 0 and false are values.
_MISSING = (None, "")


class SeedError(Exception):
    """The secret or parameter could not be seeded; its value is unchanged.

    The text is shown as JSON, so its commands contain nothing that JSON escapes.
    """


class Contended(SeedError):
    """The secret was written by others at the same time; their value is kept."""


class RotationUnderWay(SeedError):
    """A new version would stop a rotation, perhaps when the server accepts only its password."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Merge fields into a secret, or create a parameter.

    Args:
        event: `SecretId`; `Fields`, name -> plain value; `Generate`, name -> arguments of
            GetRandomPassword under a stack file's names, such as `length`, or under AWS's. A
            field is generated if it is missing, null or an empty text; any other value, also 0
            and false, is kept. Or `Parameter`, the arguments of PutParameter without the value,
            and `Generate`, the arguments for the value.
        context: passed by Lambda.

    Returns:
        The current `VersionId`, and the sorted names `Generated` and `Updated`.

    Raises:
        SeedError: the secret is not a JSON object, or would lose something if it were written
            again; it is written by others all the time, or is being rotated; or the parameter
            exists but has another type or cannot be decrypted.
        ClientError: AWS rejected a call; the text is AWS's and contains no secret value.

    """
    secrets = boto3.client("secretsmanager")
    # Everything below may be repeated.
    if "Parameter" not in event:
        return _patiently(lambda: _merge(secrets, event))
    try:
        return _patiently(lambda: _make_parameter(secrets, event))
    except ClientError as error:
        if error.operation_name != "GetParameter":
            raise
        name, key = event["Parameter"]["Name"], event["Parameter"]["KeyId"]
        raise SeedError(
            f"{name} exists and cannot be read: {error}; a deleted environment may have left it,"
            " encrypted with its own key. To keep the value, restore the old key (aws kms"
            " cancel-key-deletion, then enable-key), and encrypt the value with the new key:"
            f" `aws ssm get-parameter --name {name} --with-decryption --query Parameter.Value"
            " --output json | jq -j . | aws ssm"
            f" put-parameter --name {name} --overwrite --type SecureString --key-id {key} --value"
            f" file:///dev/stdin`. If it is not needed: `aws ssm delete-parameter --name {name}`"
        ) from error


def _make_parameter(secrets: Any, event: dict[str, Any]) -> dict[str, Any]:
    ssm, wanted = boto3.client("ssm"), event["Parameter"]
    try:
        # Decrypted to check that it can be: its key may have been deleted.
        found = ssm.get_parameter(Name=wanted["Name"], WithDecryption=True)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        request = _request(event["Generate"])
        # Parameter Store rejects a value with `{{`, which refers to another parameter.
        request["ExcludeCharacters"] = request.get("ExcludeCharacters", "") + "{"
        value = secrets.get_random_password(**request)["RandomPassword"]
        # Without `Overwrite`, a parameter that was created in the meantime is kept.
        made = ssm.put_parameter(**wanted, Value=value)
        return {"VersionId": str(made["Version"]), "Generated": ["Value"], "Updated": []}
    if found["Type"] != wanted["Type"]:
        raise SeedError(
            f"{wanted['Name']} already exists as a {found['Type']}, which is not encrypted."
            " Choose another name, or delete it if it is not needed:"
            f" `aws ssm delete-parameter --name {wanted['Name']}`"
        )
    return {"VersionId": str(found["Version"]), "Generated": [], "Updated": []}


def _request(rules: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of GetRandomPassword; AWS's own names stay as they are."""
    return {
        "PasswordLength" if word == "length" else word[0].upper() + word[1:]: given
        for word, given in rules.items()
    }


def _merge(secrets: Any, event: dict[str, Any]) -> dict[str, Any]:
    secret_id, fields = event["SecretId"], event["Fields"]
    version = seed_versions.current(secrets, secret_id)
    held = _parse(version, event)
    if "alternateUsername" in held:  # rotation decides which of the two users is current
        fields = {name: plain for name, plain in fields.items() if name not in _ALTERNATING}
    seeded = held | fields
    missing = {
        name: rules for name, rules in event["Generate"].items() if seeded.get(name) in _MISSING
    }
    for name, rules in missing.items():
        seeded[name] = secrets.get_random_password(**_request(rules))["RandomPassword"]
    updated = [name for name in fields if name not in held or held[name] != seeded[name]]
    written = version.id
    if missing or updated:
        try:
            text = secret_json.rewrite(seeded, version.text or "{}")
            written = seed_versions.replace(secrets, secret_id, version, text)
        except secret_json.Lossy as error:
            raise SeedError(f"{secret_id}: {error}, and deploy again") from None
        except seed_versions.Changed:
            raise Contended(
                f"{secret_id} is being written by others at the same time; deploy again"
            ) from None
        except seed_versions.Pending:
            raise RotationUnderWay(
                f"{secret_id} is being rotated, or its last rotation has failed: see the log of"
                " its rotation function, then deploy again"
            ) from None
    return {"VersionId": written, "Generated": sorted(missing), "Updated": sorted(updated)}


def _parse(version: seed_versions.Version, event: dict[str, Any]) -> dict[str, Any]:
    if version.id is None:
        return {}
    value = secret_json.parse(version.text or "")
    if value is None:
        secret_id, field = event["SecretId"], shlex.quote(next(iter(event["Generate"]), "value"))
        raise SeedError(
            f"{secret_id} holds a value that is not a JSON object, or is nested too deeply, so no"
            " field can be kept. Put a JSON object there, for example with the text as"
            f" {field}, and deploy again:"
            f" `aws secretsmanager get-secret-value --secret-id {secret_id} --query SecretString"
            f" --output json | jq --arg field {field} '{{($field): .}}' | aws secretsmanager"
            f" put-secret-value --secret-id {secret_id} --secret-string file:///dev/stdin`. Until"
            " then `from: external` leaves the value alone, and lets other changes through"
        )
    return value


def _patiently(attempt: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Retry while permissions are not effective, a rotation is running, or others write."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            return attempt()
        except (Contended, RotationUnderWay):
            if time.monotonic() > deadline:
                raise
        except ClientError as error:
            denied = error.response["Error"]["Code"] == "AccessDeniedException"
            if not denied or time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_SECONDS)
