"""SNS: the subscriptions that it takes."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ministack.services import sns

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, succeeded
from local.emulator.sns_topics import ARN_ELEMENTS, Form, Handler, invalid
from local.emulator.validation.forms import parse_form

# https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
# Protocol -> what an endpoint looks like, and the error for any other.
ENDPOINTS = {
    "application": (r"arn:[\w-]+:sns:[^:]*:[^:]*:endpoint/.+", "Application endpoint arn invalid"),
    "email": (r"[^@\s;,]+@[^@\s;,]+", "Email address"),
    "email-json": (r"[^@\s;,]+@[^@\s;,]+", "Email address"),
    "firehose": (r"arn:[\w-]+:firehose:[^:]+:\d+:deliverystream/.+", "Firehose endpoint ARN"),
    "http": (r"http://.+", "Endpoint must match the specified protocol"),
    "https": (r"https://.+", "Endpoint must match the specified protocol"),
    "lambda": (r"arn:[\w-]+:lambda:[^:]+:\d+:function:[^:]+(:[^:]+)?", "Lambda endpoint ARN"),
    "sms": (r"\+?[\d .()/-]+", "Invalid SMS endpoint: {endpoint}"),
    "sqs": (r"arn:[\w-]+:sqs:[^:]+:\d+:[^:/]+", "SQS endpoint ARN"),
}
ATTRIBUTES = {
    *("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery"),
    *("RedrivePolicy", "ReplayPolicy", "SubscriptionRoleArn"),
}
SUBSCRIPTION_ELEMENTS = 7

_ARN = re.compile(r"arn:[\w-]+:sqs:[^:]+:\d+:.+")


@replaces(sns, "_subscribe")
def refuse_invalid_subscription(original: Handler, form: Form) -> Response:
    """Refuse unknown protocols, endpoints of another protocol, and invalid attributes.

    ministack takes them, and returns a subscription with other attributes than asked for.
    """
    request = parse_form("sns", "Subscribe", form)
    topic, refusal = sns._get_topic(request["TopicArn"])
    if refusal is not None:
        return original(form)
    attributes = request.get("Attributes", {})
    violation = (
        _wrong_endpoint(request)
        or _wrong_attributes(attributes)
        or _difference(topic["subscriptions"], request)
    )
    if violation:
        return invalid(violation)
    raw = attributes.get("RawMessageDelivery", "")
    return original(
        {key: [raw.lower()] if raw and value == [raw] else value for key, value in form.items()}
    )


@replaces(sns, "_set_subscription_attributes")
def set_valid_attribute(original: Handler, form: Form) -> Response:
    """Refuse unknown attributes and invalid values.

    ministack keeps any value.

    https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
    """
    name, value = sns._p(form, "AttributeName"), sns._p(form, "AttributeValue")
    if _subscription(form) is None:
        return _not_found()
    if name not in ATTRIBUTES:
        return invalid("AttributeName")
    if violation := _wrong_attribute(name, value):
        return invalid(violation)
    is_raw = name == "RawMessageDelivery"
    return original({**form, "AttributeValue": [value.lower()]} if is_raw else form)


@replaces(sns, "_get_subscription_attributes")
def leave_out_arn(original: Handler, form: Form) -> Response:
    """Leave the ARN out of the error for a missing subscription.

    ministack names it.
    """
    response = original(form)
    return response if succeeded(response) else _not_found()


@replaces(sns, "_unsubscribe")
def refuse_invalid_arn(original: Handler, form: Form) -> Response:
    """Refuse an ARN that is not a subscription's.

    ministack takes any text.
    """
    elements = sns._p(form, "SubscriptionArn").split(":")
    if len(elements) < ARN_ELEMENTS:
        text = f"SubscriptionArn Reason: An ARN must have at least {ARN_ELEMENTS} elements, not "
        return invalid(f"{text}{len(elements)}")
    if len(elements) < SUBSCRIPTION_ELEMENTS:
        return invalid("SubscriptionId")
    return original(form)


def _subscription(form: Form) -> Any:  # noqa: ANN401 (ministack is untyped)
    arn = sns._p(form, "SubscriptionArn")
    topic = sns._sub_arn_to_topic.get(arn)
    return sns._find_subscription(topic, arn) if topic else None


def _not_found() -> Response:
    refusal: Response = sns._error("NotFound", "Subscription does not exist", HTTPStatus.NOT_FOUND)
    return refusal


def _wrong_endpoint(request: Mapping[str, Any]) -> str | None:
    protocol, endpoint = request["Protocol"], request.get("Endpoint", "")
    if protocol not in ENDPOINTS:
        return f"Amazon SNS does not support this protocol string: {protocol}"
    pattern, text = ENDPOINTS[protocol]
    return None if re.fullmatch(pattern, endpoint) else text.format(endpoint=endpoint)


def _wrong_attributes(attributes: Mapping[str, str]) -> str | None:
    for name, value in attributes.items():
        violation = _wrong_attribute(name, value) if name in ATTRIBUTES else "AttributeName"
        if violation:
            return f"Attributes Reason: {violation}"
    return None


def _wrong_attribute(name: str, value: str) -> str | None:
    if name == "RawMessageDelivery" and value.lower() not in ("true", "false"):
        return f"{name}: Invalid value [{value}]. Must be true or false."
    if name in ("FilterPolicy", "RedrivePolicy") and value:
        try:
            policy = json.loads(value)
        except ValueError as error:
            return f"{name}: failed to parse JSON. {error}"
        target = policy.get("deadLetterTargetArn", "") if isinstance(policy, dict) else ""
        if name == "RedrivePolicy" and not _ARN.fullmatch(str(target)):
            return f"{name}: deadLetterTargetArn is an invalid arn"
    return None


def _difference(subscriptions: list[Any], request: Mapping[str, Any]) -> str | None:
    """Return how an existing subscription differs from the one that is asked for."""
    wanted = request["Protocol"], request.get("Endpoint", "")
    for subscription in subscriptions:
        if (subscription["protocol"], subscription["endpoint"]) == wanted and any(
            subscription["attributes"].get(name) != value
            for name, value in request.get("Attributes", {}).items()
        ):
            return "Attributes Reason: Subscription already exists with different attributes"
    return None
