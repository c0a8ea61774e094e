"""SNS: the topics, policies and attributes that it takes, and what a topic has by default."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import sns

from local.emulator.core.patching import replaces
from local.emulator.core.principals import as_list, has_invalid_principal
from local.emulator.core.responses import Response, succeeded
from local.emulator.validation.forms import parse_form

ARN_ELEMENTS = 6
# https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
ACTIONS = (
    *("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission"),
    *("DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish"),
)
ALLOWED_ACTIONS = {
    f"sns:{action.lower()}"
    for action in (
        *ACTIONS,
        *("GetDataProtectionPolicy", "ListTagsForResource", "PutDataProtectionPolicy", "Receive"),
        *("TagResource", "UntagResource"),
    )
}
# https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
ATTRIBUTES = {
    *("ArchivePolicy", "ContentBasedDeduplication", "DataProtectionPolicy", "DeliveryPolicy"),
    *("DisplayName", "FifoThroughputScope", "FifoTopic", "KmsMasterKeyId", "Policy"),
    *("SignatureVersion", "TracingConfig"),
    *(
        f"{protocol}{kind}"
        for protocol in ("Application", "Firehose", "HTTP", "Lambda", "SQS")
        for kind in (
            *("SuccessFeedbackRoleArn", "SuccessFeedbackSampleRate", "FailureFeedbackRoleArn"),
        )
    ),
}
DELIVERY_POLICY = {
    "http": {
        "defaultHealthyRetryPolicy": {
            "minDelayTarget": 20,
            "maxDelayTarget": 20,
            "numRetries": 3,
            "numMaxDelayRetries": 0,
            "numNoDelayRetries": 0,
            "numMinDelayRetries": 0,
            "backoffFunction": "linear",
        },
        "disableSubscriptionOverrides": False,
        "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
    }
}

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo")

Form = dict[str, Any]
Handler = Callable[[Form], Response]


def invalid(text: str) -> Response:
    """Return the error for a parameter."""
    refusal: Response = sns._error(
        "InvalidParameter", f"Invalid parameter: {text}", HTTPStatus.BAD_REQUEST
    )
    return refusal


@replaces(sns, "_error")
def answer_with_code_of_aws(
    original: Callable[[str, str, int], Response], code: str, message: str, status: int
) -> Response:
    """Refuse a parameter with the code that AWS uses.

    ministack uses the name of the exception.

    https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """
    return original(code.replace("ParameterException", "Parameter"), message, status)


@replaces(sns, "_get_topic")
def say_why_there_is_no_topic(
    original: Callable[..., tuple[Any, Any]], arn: str, action: str | None = None
) -> tuple[Any, Any]:
    """Refuse what is not an ARN, and leave the ARN out of the error for a missing topic.

    ministack says for both that the topic does not exist, and which.
    """
    elements = arn.split(":")
    if len(elements) < ARN_ELEMENTS:
        text = f"TopicArn Reason: An ARN must have at least {ARN_ELEMENTS} elements, not "
        return None, invalid(f"{text}{len(elements)}")
    if sns._topic_by_arn_any_scope(sns._normalize_arn(arn)) is None:
        return None, sns._error("NotFound", "Topic does not exist", HTTPStatus.NOT_FOUND)
    return original(arn, action)


@replaces(sns, "_create_topic")
def create_valid_topic(original: Handler, form: Form) -> Response:
    """Refuse invalid topics, and give the others AWS's policy and delivery policy.

    ministack takes any name and attribute, returns a topic that differs from the one that is
    asked for, and allows other actions by default.

    https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
    """
    request = parse_form("sns", "CreateTopic", form)
    attributes = request.get("Attributes", {})
    arn = f"arn:aws:sns:{get_region()}:{get_account_id()}:{request['Name']}"
    existing = sns._topics.get(arn)
    violation = _violation(request) or _difference(existing, request)
    if violation:
        return invalid(violation)
    response = original(form)
    if existing is None and succeeded(response):
        defaults = {
            "Policy": json.dumps(_default_policy(arn), separators=(",", ":")),
            "EffectiveDeliveryPolicy": json.dumps(DELIVERY_POLICY, separators=(",", ":")),
        }
        sns._topics[arn]["attributes"] |= defaults | attributes
    return response


@replaces(sns, "_set_topic_attributes")
def set_valid_attribute(original: Handler, form: Form) -> Response:
    """Refuse unknown attributes, and policies that are not those of a topic.

    ministack keeps any text.

    https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html
    """
    _, refusal = sns._get_topic(sns._p(form, "TopicArn"))
    if refusal is not None:
        return original(form)
    name, value = sns._p(form, "AttributeName"), sns._p(form, "AttributeValue")
    violation = _wrong_attribute(name, value)
    return invalid(violation) if violation else original(form)


@replaces(sns, "_tag_resource")
def refuse_duplicate_tags(original: Handler, form: Form) -> Response:
    """Refuse a tag that is there twice.

    ministack takes the last one.
    """
    if _has_duplicates(parse_form("sns", "TagResource", form).get("Tags", [])):
        return invalid("Duplicated keys are not allowed.")
    return original(form)


def _violation(request: Form) -> str | None:
    if not _NAME.fullmatch(request["Name"]):
        return "Topic Name"
    if _has_duplicates(request.get("Tags", [])):
        return "Duplicated keys are not allowed."
    for name, value in request.get("Attributes", {}).items():
        if violation := _wrong_attribute(name, value):
            return f"Attributes Reason: {violation}"
    return None


def _difference(topic: Any, request: Form) -> str | None:  # noqa: ANN401 (ministack is untyped)
    """Return how an existing topic differs from the one that is asked for."""
    if topic is None:
        return None
    attributes = request.get("Attributes", {})
    if any(topic["attributes"].get(name) != value for name, value in attributes.items()):
        return "Attributes Reason: Topic already exists with different attributes"
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    if tags and tags != topic["tags"]:
        return "Tags Reason: Topic already exists with different tags"
    return None


def _has_duplicates(tags: list[dict[str, str]]) -> bool:
    return len({tag["Key"] for tag in tags}) < len(tags)


def _wrong_attribute(name: str, value: str) -> str | None:
    if name not in ATTRIBUTES:
        return "AttributeName"
    return _wrong_policy(value) if name == "Policy" else None


def _wrong_policy(text: str) -> str | None:
    try:
        statements = as_list(json.loads(text)["Statement"])
    except (ValueError, TypeError, KeyError):
        return "Policy Error: null"
    for statement in statements:
        if not isinstance(statement, dict):
            return "Policy Error: null"
        if "Effect" not in statement or not {"Principal", "NotPrincipal"} & statement.keys():
            return "Policy Error: null"
        actions = as_list(statement.get("Action") or statement.get("NotAction") or [])
        if not all(isinstance(action, str) for action in actions):
            return "Policy Error: null"
        if not actions or not {action.lower() for action in actions} <= ALLOWED_ACTIONS:
            return "Policy statement action out of service scope!"
    return "Policy Error: PrincipalNotFound" if has_invalid_principal(text) else None


def _default_policy(arn: str) -> dict[str, Any]:
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in ACTIONS],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": get_account_id()}},
    }
    return {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
