"""Parameters that are not put: secrets by reference, and the extension layer's public ones.

https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
"""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
import time
import uuid
from collections.abc import Callable

from ministack.core.responses import get_region
from ministack.services import secretsmanager, ssm

from infra.aws.layers import extension_layer_arn
from local.emulator.core import caller
from local.emulator.core.accounts import denial_message
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.ssm.shared import SECURE, Data, Handler, validation_error

PREFIX = "/aws/reference/secretsmanager/"
READ = "secretsmanager:GetSecretValue"
_SELECTED = re.compile(r"(?P<secret>[^:]+)(:(?P<version>[^:]+))?")
_LAYER = re.compile(r"/aws/service/aws-parameters-and-secrets-lambda-extension/(\w+)/latest")
_ARCHITECTURES = {"arm64": "arm64", "x86": "x86_64"}


@replaces(ssm, "_get_parameter")
def get_secret_by_reference(original: Handler, data: Data) -> Response:
    """Answer `/aws/reference/secretsmanager/<secret>` with the secret's value.

    ministack does not find it.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
    """
    name = data.get("Name", "")
    if not name.startswith(PREFIX):
        return original(data)
    return _referenced(name, decrypts=bool(data.get("WithDecryption")))


@replaces(ssm, "_get_parameters")
def get_secrets_by_reference(original: Handler, data: Data) -> Response:
    """Answer references to secrets too; those that cannot be read are invalid parameters.

    ministack does not find them.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
    """
    names = data.get("Names", [])
    references = [name for name in names if name.startswith(PREFIX)]
    response = original({**data, "Names": [name for name in names if name not in references]})
    if not references or not succeeded(response):
        return response
    answer = json.loads(response[2])
    for name in references:
        found = _referenced(name, decrypts=bool(data.get("WithDecryption")))
        if succeeded(found):
            answer["Parameters"].append(json.loads(found[2])["Parameter"])
        else:
            answer["InvalidParameters"].append(name)
    return json_response(answer)


def _referenced(name: str, *, decrypts: bool) -> Response:
    selected = _SELECTED.fullmatch(name.removeprefix(PREFIX))
    if selected is None:
        return validation_error(
            "Invalid parameter name. Please use correct syntax for referencing a version/label"
            "  <name>:<version/label>"
        )
    if not decrypts:
        return validation_error(
            "WithDecryption flag must be True for retrieving a Secret Manager secret."
        )
    secret_id, version = selected["secret"], selected["version"]
    _, secret = secretsmanager._resolve(secret_id)
    arn = secret["ARN"] if secret else secret_id
    if denied := caller.refusal(READ, arn):
        return error_response("AccessDeniedException", denial_message(denied, READ, arn))
    read: Response = secretsmanager._get_secret_value(_request(secret_id, version))
    if not succeeded(read):
        return _refusal(read, name, version)
    value = json.loads(read[2])
    parameter = {
        "Name": name.removesuffix(f":{version}"),
        "Type": SECURE,
        "Value": value.get("SecretString"),
        "Version": 0,
        "Selector": version and f":{version}",
        "SourceResult": _source(value),
        "LastModifiedDate": value["CreatedDate"],
        "ARN": value["ARN"],
    }
    shown = {member: each for member, each in parameter.items() if each is not None}
    return json_response({"Parameter": shown})


def _request(secret_id: str, version: str | None) -> Data:
    """Return the request for a version by its id or its label."""
    if version is None:
        return {"SecretId": secret_id}
    try:
        uuid.UUID(version)
    except ValueError:
        return {"SecretId": secret_id, "VersionStage": version}
    return {"SecretId": secret_id, "VersionId": version}


def _refusal(read: Response, name: str, version: str | None) -> Response:
    """Answer for a secret that cannot be read, in Parameter Store's words.

    Without a version, AWS writes `null` behind the name.
    """
    error = json.loads(read[2])
    if error["__type"] == "ResourceNotFoundException":
        missing = name.lstrip("/") + ("" if version else "null")
        return error_response(
            "ParameterNotFound",
            "An error occurred (ParameterNotFound) when referencing Secrets Manager: "
            f"Secret {missing} not found.",
        )
    if error["__type"] == "InvalidRequestException":
        return validation_error("Invalid Request to Secrets Manager")
    return read


def _source(value: Data) -> str:
    """Return what GetSecretValue answers, as a text."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(value["CreatedDate"]))
    members = {
        "ARN": value["ARN"],
        "name": value["Name"],
        "versionId": value["VersionId"],
        "secretString": value.get("SecretString"),
        "versionStages": value["VersionStages"],
        "createdDate": created,
    }
    return json.dumps(members, separators=(",", ":"))


@replaces(ssm, "_public_parameter")
def answer_layer_of_extension(original: Callable[[str], Data | None], name: str) -> Data | None:
    """Answer the public parameters of the AWS Parameters and Secrets Lambda Extension's layer.

    ministack has those of machine images only.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
    """
    layer = _LAYER.fullmatch(name)
    architecture = _ARCHITECTURES.get(layer[1]) if layer else None
    if architecture is None:
        return original(name)
    return {
        "Name": name,
        "Type": "String",
        "Value": extension_layer_arn(get_region(), architecture),
        "Version": 1,
        "LastModifiedDate": time.time(),
        "ARN": f"arn:aws:ssm:{get_region()}::parameter{name}",
    }
