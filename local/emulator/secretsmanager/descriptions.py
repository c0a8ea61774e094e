"""What DescribeSecret and ListSecrets answer: no member without a value."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json

from ministack.services import secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, json_response, succeeded
from local.emulator.secretsmanager.shared import Data, Handler

_OPTIONAL = ("Description", "LastAccessedDate", "SecretVersionsToStages", "VersionIdsToStages")
_TAGGED = "_Tagged"


@replaces(secretsmanager, "_tag_resource")
def remember_tags(original: Handler, data: Data) -> Response:
    """Remember that a secret has had tags: without any of them, AWS then shows an empty list.

    ministack always shows the list.
    """
    response = original(data)
    if succeeded(response):
        secretsmanager._resolve(data["SecretId"])[1][_TAGGED] = True
    return response


@replaces(secretsmanager, "_describe_secret")
def omit_missing_members(original: Handler, data: Data) -> Response:
    """Omit what a secret does not have.

    ministack answers with empty members.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
    """
    response = original(data)
    if not succeeded(response):
        return response
    _, secret = secretsmanager._resolve(data["SecretId"])
    return json_response(_without_missing(json.loads(response[2]), secret))


@replaces(secretsmanager, "_list_secrets")
def list_key_and_rotation(original: Handler, data: Data) -> Response:
    """List the key of each secret and how it rotates, and omit what it does not have.

    ministack lists no keys, and answers with empty members.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_SecretListEntry.html
    """
    response = original(data)
    if not succeeded(response):
        return response
    answer = json.loads(response[2])
    for entry in answer["SecretList"]:
        secret = secretsmanager._secrets[entry["Name"]]
        more = ("KmsKeyId", "RotationLambdaARN", "RotationRules", "LastRotatedDate")
        entry |= {name: secret[name] for name in more if secret.get(name)}
    entries = [
        _without_missing(entry, secretsmanager._secrets[entry["Name"]])
        for entry in answer["SecretList"]
    ]
    return json_response(answer | {"SecretList": entries})


def _without_missing(shown: Data, secret: Data) -> Data:
    omitted = {name for name in _OPTIONAL if not shown.get(name)}
    if not secret["Tags"] and not secret.get(_TAGGED):
        omitted.add("Tags")
    if not secret.get("RotationLambdaARN"):
        omitted.add("RotationEnabled")
    return {name: value for name, value in shown.items() if name not in omitted}
