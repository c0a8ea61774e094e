"""SNS: the subscriptions that it takes."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id
from ministack.services import lambda_svc, sns

from local.emulator import sns_filter_policies
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
# https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
RAW = ("firehose", "http", "https", "sqs")
SUBSCRIPTION_ELEMENTS = 7
PAGE = 100

_ARN = re.compile(r"arn:[\w-]+:sqs:[^:]+:\d+:.+")


@replaces(sns, "_subscribe")
def refuse_invalid_subscription(original: Handler, form: Form) -> Response:
    """Refuse unknown protocols, endpoints that cannot be reached, and invalid attributes.

    ministack takes them, and returns a subscription with other attributes than asked for.
    """
    request = parse_form("sns", "Subscribe", form)
    topic, refusal = sns._get_topic(request["TopicArn"])
    if refusal is not None:
        return original(form)
    attributes = request.get("Attributes", {})
    violation = (
        _wrong_endpoint(request)
        or _wrong_attributes(request["Protocol"], attributes)
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
    subscription = _subscription(form)
    if subscription is None:
        return _not_found()
    if name not in ATTRIBUTES:
        return invalid("AttributeName")
    if violation := _wrong_attribute(
        subscription["protocol"], name, value, subscription["attributes"]
    ):
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


@replaces(sns, "_list_subscriptions")
def list_all(_original: Handler, form: Form) -> Response:
    """List 100 subscriptions at a time.

    ministack shows the ARN of one that waits for its confirmation.

    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptions.html
    """
    found = [each for topic in sns._topics.values() for each in topic["subscriptions"]]
    return _page("ListSubscriptions", found, form)


@replaces(sns, "_list_subscriptions_by_topic")
def list_of_topic(original: Handler, form: Form) -> Response:
    """List 100 subscriptions of a topic at a time.

    ministack lists all of them.

    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    """
    action = "ListSubscriptionsByTopic"
    topic, refusal = sns._get_topic(sns._p(form, "TopicArn"), f"sns:{action}")
    return original(form) if refusal else _page(action, topic["subscriptions"], form)


def _page(action: str, subscriptions: list[Any], form: Form) -> Response:
    start = int(sns._p(form, "NextToken") or 0)
    end = start + PAGE
    members = "".join(map(_member, subscriptions[start:end]))
    token = f"<NextToken>{end}</NextToken>" if len(subscriptions) > end else ""
    answer = f"<{action}Result><Subscriptions>{members}</Subscriptions>{token}</{action}Result>"
    response: Response = sns._xml(HTTPStatus.OK, f"{action}Response", answer)
    return response


def _member(subscription: Mapping[str, Any]) -> str:
    confirmed = subscription["confirmed"]
    fields = {
        "SubscriptionArn": subscription["arn"] if confirmed else "PendingConfirmation",
        "Owner": subscription.get("owner", get_account_id()),
        "TopicArn": subscription["topic_arn"],
        "Protocol": subscription["protocol"],
        "Endpoint": escape(subscription["attributes"]["Endpoint"]),
    }
    return f"<member>{''.join(f'<{key}>{each}</{key}>' for key, each in fields.items())}</member>"


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
    if not re.fullmatch(pattern, endpoint):
        return text.format(endpoint=endpoint)
    return None if protocol != "lambda" or _is_function(endpoint) else f"{text}: {endpoint}"


def _is_function(arn: str) -> bool:
    """Whether a function of this account exists; of another account, it cannot be known."""
    if arn.split(":")[4] != get_account_id():
        return True
    record, _, _ = lambda_svc._get_base_func_record_for_ref(arn)
    return record is not None


def _wrong_attributes(protocol: str, attributes: Mapping[str, str]) -> str | None:
    for name, value in attributes.items():
        if name not in ATTRIBUTES:
            return "Attributes Reason: AttributeName"
        if violation := _wrong_attribute(protocol, name, value, attributes):
            return f"Attributes Reason: {violation}"
    return None


def _wrong_attribute(
    protocol: str, name: str, value: str, attributes: Mapping[str, str]
) -> str | None:
    """Return why a subscription cannot have a value; `attributes` are its others."""
    if name == "RawMessageDelivery":
        if value.lower() not in ("true", "false"):
            return f"{name}: Invalid value [{value}]. Must be true or false."
        if protocol not in RAW:
            return f"Delivery protocol [{protocol}] does not support raw message delivery."
    if name == "FilterPolicyScope" and value not in sns_filter_policies.SCOPES:
        allowed = " or ".join(sns_filter_policies.SCOPES)
        return f"{name}: Invalid value [{value}]. Please use either {allowed}"
    if name == "FilterPolicy" and value:
        scope = attributes.get("FilterPolicyScope", "MessageAttributes")
        return sns_filter_policies.error(value, scope)
    return _wrong_redrive_policy(value) if name == "RedrivePolicy" and value else None


def _wrong_redrive_policy(text: str) -> str | None:
    try:
        policy = json.loads(text)
    except ValueError as error:
        return f"RedrivePolicy: failed to parse JSON. {error}"
    target = policy.get("deadLetterTargetArn", "") if isinstance(policy, dict) else ""
    if _ARN.fullmatch(str(target)):
        return None
    return "RedrivePolicy: deadLetterTargetArn is an invalid arn"


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
