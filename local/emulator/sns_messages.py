"""SNS: the messages that it takes, and what a function gets of them."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from ministack.services import kms, sns

from local.emulator.core.patching import replaces
from local.emulator.core.requests import Request
from local.emulator.core.responses import Response
from local.emulator.sns_topics import Form, Handler, invalid
from local.emulator.validation.forms import parse_form

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MESSAGE_BYTES = 262_144
SUBJECT_CHARACTERS = 100


@replaces(sns, "handle_request")
async def keep_empty_parameters(
    original: Callable[..., Awaitable[Response]], *parts: Any
) -> Response:
    """Pass on the parameters that are empty.

    ministack drops them, so that an empty subject is a missing one.
    """
    *others, _query = parts
    return await original(*others, Request(*parts).parameters)


@replaces(sns, "_publish")
def publish_valid_message(original: Handler, form: Form) -> Response:
    """Refuse empty and long messages, subjects that are not one line, and unusable keys.

    ministack publishes them.

    https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    request = parse_form("sns", "Publish", form)
    if not request.get("PhoneNumber"):
        arn = request.get("TopicArn") or request.get("TargetArn") or ""
        if ":endpoint/" in arn:  # none can be created here
            return invalid("TargetArn Reason: No endpoint found for the target arn specified")
        topic, refusal = sns._get_topic(arn)
        refusal = refusal or _refusal_of_key(topic["attributes"].get("KmsMasterKeyId", ""))
        if refusal is not None:
            response: Response = refusal
            return response
    violation = _violation(request)
    return invalid(violation) if violation else original(form)


@replaces(sns, "_deliver_to_lambda")
def deliver_in_shape_of_functions(
    original: Callable[..., None], endpoint: str, envelope: str, *others: object
) -> None:
    """Invoke a function with the names that AWS uses in its event.

    ministack uses those of messages to queues.

    https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """
    message = json.loads(envelope)
    original(
        endpoint,
        json.dumps(
            {
                **{key: value for key, value in message.items() if not key.endswith("URL")},
                "Subject": message.get("Subject"),
                "MessageAttributes": message.get("MessageAttributes", {}),
                "SigningCertUrl": message["SigningCertURL"],
                "UnsubscribeUrl": message["UnsubscribeURL"],
            }
        ),
        *others,
    )


def _refusal_of_key(key_id: str) -> Response | None:
    """Return the error for a topic's key; SNS looks for it only when it has a message to encrypt.

    The key of AWS's own exists as soon as SNS needs it.
    """
    if not key_id or "alias/aws/" in key_id:
        return None
    key = kms._resolve_key(key_id)
    if key is None:
        code, text = "KMSNotFound", f"Key '{key_id}' does not exist"
    elif key["KeyState"] == "Disabled":
        code, text = "KMSDisabled", f"{key['Arn']} is disabled."
    elif key["KeyState"] != "Enabled":
        code, text = "KMSInvalidState", f"{key['Arn']} is pending deletion."
    else:
        return None
    refusal: Response = sns._error(code, text, HTTPStatus.BAD_REQUEST)
    return refusal


def _violation(request: Form) -> str | None:
    message, subject = request["Message"], request.get("Subject")
    if not message:
        return "Empty message"
    if len(message.encode()) > MESSAGE_BYTES:
        return "Message too long"
    if subject is not None and not _is_subject(subject):
        return "Subject"
    return _wrong_structure(message) if request.get("MessageStructure") == "json" else None


def _is_subject(text: str) -> bool:
    return 0 < len(text) <= SUBJECT_CHARACTERS and text.isprintable()


def _wrong_structure(message: str) -> str | None:
    try:
        texts = json.loads(message)
    except ValueError:
        return "Message Structure - JSON message body failed to parse"
    if not isinstance(texts, dict) or not isinstance(texts.get("default"), str):
        return "Message Structure - No default entry in JSON message body"
    return None
