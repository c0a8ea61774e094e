"""SNS: who subscribes by mail confirms it, and what a subscription's attributes are."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import sns

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Response]

_PASSWORD = re.compile(r"(://[^/@:]*):[^/@]*@")


@replaces(sns, "_subscribe")
def wait_for_confirmation_by_email(original: Handler, parameters: Parameters) -> Response:
    """Wait for the confirmation of a mail, too; return the ARN before it to who asks for it.

    ministack confirms a subscription at once.

    https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """
    known = set(sns._sub_arn_to_topic)
    response = original(parameters)
    if response[0] != HTTPStatus.OK:
        return response
    topic = sns._topic_by_arn_any_scope(sns._p(parameters, "TopicArn"))
    wanted = sns._p(parameters, "Protocol"), sns._p(parameters, "Endpoint")
    found = [
        each for each in topic["subscriptions"] if (each["protocol"], each["endpoint"]) == wanted
    ]
    subscription = found[0]
    if subscription["arn"] not in known:
        attributes = subscription["attributes"]
        attributes["SubscriptionPrincipal"] = iam_evaluator.caller_arn()
        attributes["Endpoint"] = _PASSWORD.sub(r"\1:****@", attributes["Endpoint"])
        _settle_filter_policy(attributes)
        if wanted[0] in ("email", "email-json"):
            subscription["confirmed"] = False
            subscription["token"] = sns.new_uuid()
            attributes["PendingConfirmation"] = "true"
            attributes["ConfirmationWasAuthenticated"] = "false"
            sns._refresh_subscription_counts(topic)
    told = subscription["confirmed"] or sns._p(parameters, "ReturnSubscriptionArn") == "true"
    arn = subscription["arn"] if told else "pending confirmation"
    answer = f"<SubscribeResult><SubscriptionArn>{arn}</SubscriptionArn></SubscribeResult>"
    answered: Response = sns._xml(HTTPStatus.OK, "SubscribeResponse", answer)
    return answered


@replaces(sns, "_set_subscription_attributes")
def remove_empty_filter_policy(original: Handler, parameters: Parameters) -> Response:
    """Forget an empty filter policy and its scope; a policy without a scope gets the default.

    ministack keeps it.

    https://docs.aws.amazon.com/sns/latest/dg/message-filtering-policy-remove.html
    """
    response = original(parameters)
    found = _subscription(parameters)
    if found and sns._p(parameters, "AttributeName") == "FilterPolicy":
        _settle_filter_policy(found["attributes"])
    return response


@replaces(sns, "_unsubscribe")
def refuse_to_delete_pending_subscription(original: Handler, parameters: Parameters) -> Response:
    """Refuse to delete what waits for its confirmation; AWS lets it expire.

    ministack deletes it.
    """
    if (found := _subscription(parameters)) and not found["confirmed"]:
        message = (
            "Invalid parameter: SubscriptionArn Reason: "
            "Cannot unsubscribe a subscription that is pending confirmation"
        )
        refusal: Response = sns._error("InvalidParameter", message, HTTPStatus.BAD_REQUEST)
        return refusal
    return original(parameters)


def _subscription(parameters: Parameters) -> dict[str, Any] | None:
    arn = sns._p(parameters, "SubscriptionArn")
    topic = sns._sub_arn_to_topic.get(arn)
    found: dict[str, Any] | None = sns._find_subscription(topic, arn) if topic else None
    return found


def _settle_filter_policy(attributes: dict[str, str]) -> None:
    if attributes.get("FilterPolicy") in (None, "", "{}"):
        attributes.pop("FilterPolicy", None)
        attributes.pop("FilterPolicyScope", None)
    else:
        attributes.setdefault("FilterPolicyScope", "MessageAttributes")
