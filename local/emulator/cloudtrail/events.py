"""CloudTrail: every management call leaves an event, and so does what services do by themselves.

An event is there once the call is answered; CloudTrail itself takes some minutes. Data events,
such as an invocation, are not recorded, nor the single reads of a batch.
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import contextvars
import itertools
import json
import re
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import cbor2
import ministack.app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.core.router import detect_service, extract_access_key_id
from ministack.services import cloudtrail, iam

from local.emulator.cloudtrail import trails
from local.emulator.core import loop
from local.emulator.core.accounts import SHARED, owner
from local.emulator.core.patching import changes, replaces
from local.emulator.core.responses import Response

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
# Never to be in an event, whichever service they are sent to. Lower case, anywhere in a request.
VALUES = {"secretstring", "secretbinary", "plaintext", "password", "zipfile", "variables"}

# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
DATA_EVENTS = {
    "events": re.compile("PutEvents"),
    "lambda": re.compile("Invoke.*"),
    "logs": re.compile("PutLogEvents|FilterLogEvents|GetLogEvents|StartLiveTail"),
    "monitoring": re.compile("PutMetricData|GetMetric.*|ListMetrics"),
    "s3": re.compile(r".*Objects?|.*MultipartUpload|.*Part|\w+\.s3"),
    "sns": re.compile("Publish.*"),
    "sqs": re.compile(".*Message(Batch|Visibility|VisibilityBatch)?"),
}
READ_ONLY = re.compile(
    "Get|List|Describe|BatchGet|Lookup|Filter|Test|Validate|AssumeRole"
    "|Decrypt|Encrypt|GenerateDataKey|ReEncrypt"
)
ERROR_CODES = {
    "AccessDeniedException": "AccessDenied",
    "UnauthorizedOperation": "Client.UnauthorizedOperation",
}

Event = dict[str, Any]

# What has come after this event is not looked at: NextToken's.
_newest: contextvars.ContextVar[str] = contextvars.ContextVar("newest", default="")


@changes(cloudtrail, "_recording_enabled")
def turn_off_ministack_recording(_enabled: bool) -> bool:  # noqa: FBT001 (as the original)
    """Record instead of ministack, which records only what succeeds."""
    return False


@replaces(ministack.app, "_dispatch_service_request")
async def record_call(original: Callable[..., Awaitable[Response]], *request: Any) -> Response:
    """Record a call of a known caller with its outcome, in the resource's account, too.

    ministack leaves no event of a refused call.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    response = await original(*request)
    method, path, headers, body, query, request_id = request
    parameters = ministack.app._routing_params(method, path, headers, body, query)
    service = detect_service(method, path, headers, parameters)
    name = _event_name(service, method, path, headers, body, parameters)
    data_events = DATA_EVENTS.get(service)
    unknown_caller = iam_evaluator.caller_arn().endswith(":root")
    if name and not unknown_caller and not (data_events and data_events.fullmatch(name)):
        outcome = _outcome(response)
        denied = outcome.get("errorCode") == "AccessDenied"
        access_key_id = extract_access_key_id(headers, query) or ""
        event = {
            "userIdentity": _user_identity(access_key_id),
            "sourceIPAddress": iam_evaluator._request_origin.get()[0],
            "userAgent": headers.get("user-agent", ""),
            **outcome,
            "requestParameters": None
            if denied
            else _request_parameters(service, method, path, headers, body, query),
            "requestID": request_id,
            "readOnly": method in ("GET", "HEAD") or READ_ONLY.match(name) is not None,
            "eventType": "AwsApiCall",
        }
        source = f"{service}.amazonaws.com"
        resources = ministack.app._ct_resources(service, method, path, body)
        other = "" if denied else _other_owner(service, method, path, headers, body, parameters)
        if other:
            event["sharedEventID"] = str(uuid.uuid4())
            stranger = {"userIdentity": _identity_in_other_account(access_key_id)}
            with request_scope(other, get_region()):
                _record(source, name, event | stranger, Username="", Resources=resources)
        _record(
            source,
            name,
            event,
            Username=iam_evaluator.caller_arn().rpartition("/")[2],
            AccessKeyId=access_key_id,
            Resources=resources,
        )
    return response


def _other_owner(service: str, *request: Any) -> str:
    """Return the other account that owns the secret, key or role of a request; empty if none does.

    CloudTrail sends it an event with the same `sharedEventID`, but not of a denied call; the
    latter is documented for KMS.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
    """
    if service not in (*SHARED, "sts"):
        return ""
    account = str(get_account_id())
    found = owner(iam_actions.extract_resource_arn(service, *request, get_region(), account))
    return found if found != account else ""


def _identity_in_other_account(access_key_id: str) -> Event:
    """Name a caller as an account that is not the caller's sees it: without the ARN.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    credential = iam_evaluator.resolve_credential(access_key_id, get_account_id())
    return {
        "type": "AWSAccount",
        "principalId": credential.principal_id,
        "accountId": credential.account_id,
    }


def record_service_event(
    source: str, name: str, details: Mapping[str, str], *, error_message: str | None = None
) -> None:
    """Record what the service `source`, such as `secretsmanager.amazonaws.com`, did by itself.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/non-api-aws-service-events.html
    """
    event = {
        "userIdentity": {"accountId": get_account_id(), "invokedBy": source},
        "sourceIPAddress": source,
        "userAgent": source,
        **({"errorMessage": error_message} if error_message else {}),
        "requestParameters": None,
        "additionalEventData": dict(details),
        "readOnly": False,
        "eventType": "AwsServiceEvent",
    }
    _record(source, name, event, Username="", Resources=[])


def _record(source: str, name: str, event: Event, **attributes: Any) -> None:
    """Put the event into the history, and hand it to the trails once the caller is answered."""
    now, account = time.time(), get_account_id()
    event = {
        "eventVersion": "1.09",
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "eventSource": source,
        "eventName": name,
        "awsRegion": get_region(),
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "managementEvent": True,
        "eventCategory": "Management",
        "recipientAccountId": account,
    } | event
    text = json.dumps(event)
    cloudtrail._get_event_queue().append(
        {
            "EventId": event["eventID"],
            "EventName": name,
            "EventSource": source,
            "EventTime": now,
            "ReadOnly": json.dumps(event["readOnly"]),
            "CloudTrailEvent": text,
            **attributes,
        }
    )
    loop.soon(trails.deliver, event, text)


def _user_identity(access_key_id: str) -> Event:
    """Name the caller: a user, or the session of a role, which for a function bears its name.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    arn = iam_evaluator.caller_arn()
    identity: Event = {
        "type": "IAMUser",
        "arn": arn,
        "accountId": get_account_id(),
        "accessKeyId": access_key_id,
    }
    if ":assumed-role/" in arn:
        role = iam._roles.get(iam_evaluator._role_name_from_assumed_arn(arn)) or {}
        issuer = {"type": "Role", "arn": role.get("Arn"), "userName": role.get("RoleName")}
        return identity | {"type": "AssumedRole", "sessionContext": {"sessionIssuer": issuer}}
    return identity | {"userName": arn.rpartition("/")[2]}


def _event_name(service: str, method: str, path: str, *rest: Any) -> str:
    headers, body, parameters = rest
    if service == "s3":
        return str(ministack.app._ct_event_name(service, method, path, headers, parameters))
    action = iam_actions.extract_iam_action(service, method, path, headers, body, parameters)
    if action:
        return str(action).partition(":")[2]
    name = str(ministack.app._ct_event_name(service, method, path, headers, parameters))
    return "" if "." in name else name  # that is how it calls what it does not know


def _outcome(response: Response) -> Event:
    """Return a refusal's code and message; nothing for a success."""
    status, headers, body = response
    if status < HTTPStatus.BAD_REQUEST or not isinstance(body, bytes):
        return {}
    if body.lstrip().startswith(b"<"):
        found = [re.search(rb"<%b>(.*?)</%b>" % (tag, tag), body) for tag in (b"Code", b"Message")]
        code, message = [match[1].decode() if match else "" for match in found]
    else:
        is_cbor = "cbor" in headers.get("Content-Type", "")
        answer = (cbor2.loads if is_cbor else json.loads)(body or b"{}")
        code = answer.get("__type") or headers.get("x-amzn-errortype", str(status))
        message = answer.get("message") or answer.get("Message") or ""
    code = code.rpartition("#")[2].partition(":")[0]
    return {"errorCode": ERROR_CODES.get(code, code), "errorMessage": message}


def _request_parameters(service: str, method: str, path: str, *rest: Any) -> Event:
    headers, body, query = rest
    parameters = dict(ministack.app._ct_request_params(headers, body, query))
    for name in ("Action", "Version"):
        parameters.pop(name, None)
    if service == "ssm" and "Value" in parameters:
        parameters["Value"] = HIDDEN
    if service == "lambda":  # it stands in the path
        for resource in ministack.app._ct_resources(service, method, path, body):
            parameters["FunctionName"] = resource["ResourceName"]
    shown: Event = _shown(parameters)
    return shown


def _shown(value: Any) -> Any:
    """Write names as CloudTrail does, `secretId` and `arn`, and hide values."""
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        (name.lower() if name.isupper() else name[:1].lower() + name[1:]): HIDDEN
        if name.lower() in VALUES
        else _shown(item)
        for name, item in value.items()
    }


@replaces(cloudtrail, "_get_event_queue")
def start_after_previous_page(original: Callable[..., deque[Event]]) -> deque[Event]:
    """Leave out what a page before has shown.

    ministack starts with the newest on every page.
    """
    events = original()
    if not _newest.get():
        return events
    older = itertools.takewhile(lambda event: event["EventId"] != _newest.get(), events)
    return deque(older)


@replaces(cloudtrail._DISPATCH, "LookupEvents")
def page_events(original: Callable[[Event], Response], request: Event) -> Response:
    """Answer with `NextToken` after a full page.

    ministack answers with the newest events only, without `NextToken`.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
    """
    token = _newest.set(request.get("NextToken", ""))
    try:
        status, headers, body = original(request)
    finally:
        _newest.reset(token)
    answer = json.loads(body)
    if len(answer["Events"]) == min(int(request.get("MaxResults", 50)), 50):
        answer["NextToken"] = answer["Events"][-1]["EventId"]
    return status, headers, json.dumps(answer).encode()
