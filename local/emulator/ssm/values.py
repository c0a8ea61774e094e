"""Values of parameters: sizes, patterns, policies, and the ciphertext of a SecureString."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import base64
import json
import re
import secrets
import uuid

from ministack.services import kms, ssm

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, succeeded
from local.emulator.kms import ciphertexts
from local.emulator.ssm.shared import SECURE, Data, Handler, validation_error

STANDARD, ADVANCED, BY_SIZE = "Standard", "Advanced", "Intelligent-Tiering"
# https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm
BYTES = {STANDARD: 4096, ADVANCED: 8192, BY_SIZE: 8192}
DATA_TYPES = ("text", "aws:ec2:image", "aws:ssm:integration")
_NESTED = re.compile(r"\{\{.*\}\}", re.DOTALL)
_UPGRADE = (
    " To create a larger parameter value, upgrade the parameter to use the advanced-parameter "
    "tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/"
    "parameter-store-advanced-parameters.html"
)
_KEY_OF_AWS = {"KeyId": str(uuid.uuid4()), "_symmetric_key": secrets.token_bytes(32)}
"""What encrypts a SecureString without a key: `alias/aws/ssm`, which no caller can use itself."""


@replaces(ssm, "_put_parameter")
def encrypt_secure_string(original: Handler, data: Data) -> Response:
    """Show a SecureString without decryption as a ciphertext of its key.

    ministack shows the value in base64.

    https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
    """
    response = original(data)
    parameter = ssm._parameters.get(data["Name"])
    if succeeded(response) and parameter["Type"] == SECURE:
        key = kms._resolve_key(parameter["KeyId"]) or _KEY_OF_AWS
        sealed = ciphertexts.encrypt(
            key, data["Value"].encode(), {"PARAMETER_ARN": parameter["ARN"]}
        )
        text = base64.b64encode(sealed).decode()
        parameter["Value"] = ssm._parameter_history[data["Name"]][-1]["Value"] = text
    return response


@replaces(ssm, "_put_parameter")
def keep_pattern_and_policies(original: Handler, data: Data) -> Response:
    """Keep the pattern of the previous version, and the policies in the form they are shown in.

    ministack drops the pattern, and shows the policies as a text, which SDKs cannot read.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterInlinePolicy.html
    """
    existing = ssm._parameters.get(data.get("Name", "")) or {}
    pattern = data.get("AllowedPattern", existing.get("AllowedPattern", ""))
    try:
        policies = json.loads(data.get("Policies") or "[]")
        shown = [
            {
                "PolicyText": json.dumps(each),
                "PolicyType": each["Type"],
                "PolicyStatus": "Pending",
            }
            for each in policies
        ]
    except (KeyError, TypeError, ValueError):
        return error_response("InvalidPolicyTypeException", "The policy type is not supported.")
    if shown and data.get("Tier") not in {ADVANCED, BY_SIZE}:
        return validation_error("Parameter policies are supported by advanced parameters only.")
    return original({**data, "AllowedPattern": pattern, "Policies": shown})


@replaces(ssm, "_put_parameter")
def check_value(original: Handler, data: Data) -> Response:
    """Refuse a value that is empty, too long, nested, or does not match its pattern.

    ministack takes any value.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    """
    existing = ssm._parameters.get(data.get("Name", "")) or {}
    return _refusal(data, existing) or original(data)


def _refusal(data: Data, existing: Data) -> Response | None:
    value, tier = data.get("Value", ""), data.get("Tier") or existing.get("Tier", STANDARD)
    if not value:
        return validation_error(
            "1 validation error detected: Value at 'value' failed to satisfy constraint: Member "
            "must have length greater than or equal to 1"
        )
    if _NESTED.search(value):
        return validation_error(
            'Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.'
        )
    if existing.get("Tier") == ADVANCED and data.get("Tier") == STANDARD:
        return validation_error(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter "
            "from the advanced-parameter tier to the standard-parameter tier."
        )
    if len(value.encode()) > BYTES[tier]:
        name = STANDARD if tier == STANDARD else ADVANCED
        return validation_error(
            f"{name} tier parameters support a maximum parameter value of {BYTES[tier]} "
            f"characters.{_UPGRADE if tier == STANDARD else ''}"
        )
    if data.get("DataType", "text") not in DATA_TYPES:
        return validation_error(
            f"The following data type is not supported: {data['DataType']} "
            "(Data type names are all lowercase.)"
        )
    return _refusal_of_pattern(value, data.get("AllowedPattern", existing.get("AllowedPattern")))


def _refusal_of_pattern(value: str, pattern: str | None) -> Response | None:
    try:
        if not pattern or re.fullmatch(pattern, value):
            return None
    except re.error:
        return error_response(
            "InvalidAllowedPatternException",
            "The request does not meet the regular expression requirement.",
        )
    return error_response(
        "ParameterPatternMismatchException",
        f"Parameter value, cannot be validated against allowedPattern: {pattern}",
    )
