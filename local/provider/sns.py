"""SNS: topics, their policies and subscriptions.

The real provider retries calls until new permissions are effective, which is left out. Removing a
`filterPolicyScope` does not restore the default.
"""

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.provider import forms
from local.provider.resource import (
    REGION,
    TAGS,
    AutoName,
    Input,
    PartlyMadeError,
    Properties,
    RejectedError,
    Resource,
    Session,
    already_created,
    tag_list,
    tag_map,
)

_GONE = frozenset({"NotFound"})
# The real provider waits minutes; here a queue or function is confirmed immediately or never.
_CONFIRMED_WITHIN_SECONDS = 5.0
_PROTOCOLS = (
    *("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"),
)


class Topic(Resource):
    """A topic."""

    type = "aws:sns/topic:Topic"
    inputs = {
        "deliveryPolicy": Input(json=True, form=forms.document),
        "displayName": Input(),
        "fifoTopic": Input(default=False, replaces=True),
        "kmsMasterKeyId": Input(),
        "name": Input(
            computed=True,
            replaces=True,
            auto_name=AutoName(80),
            pattern=r"[0-9A-Za-z_-]{1,256}|[0-9A-Za-z_-]{1,251}\.fifo",
        ),
        "policy": Input(computed=True, json=True, form=forms.policy),
        "region": REGION,
        "signatureVersion": Input(computed=True, bounds=(1, 2)),
        "tags": TAGS,
        "tracingConfig": Input(computed=True, choices=("Active", "PassThrough")),
    }
    outputs = ("arn", "owner")
    gone = _GONE

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        name, is_fifo = inputs.get("name"), bool(inputs.get("fifoTopic"))
        if isinstance(name, str) and name.endswith(".fifo") != is_fifo:
            yield "name", f"must end with .fifo if, and only if, fifoTopic is true, got {name!r}"

    def create(self, session: Session, inputs: Properties) -> str:
        sns, name = session.client("sns"), inputs["name"]
        arn = f"arn:aws:sns:{session.region}:{session.aws.account_id}:{name}"
        try:
            sns.get_topic_attributes(TopicArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
        else:  # CreateTopic would return the existing topic
            raise RejectedError(f"topic {arn} already exists")
        sns.create_topic(
            Name=name,
            Attributes={"FifoTopic": "true"} if inputs["fifoTopic"] else {},
            Tags=tag_list(inputs["tags"]),
        )
        with already_created(arn):
            self._put(sns, arn, inputs, {k for k in _TOPIC_ATTRIBUTES if inputs.get(k)})
        return arn

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        sns = session.client("sns")
        attributes = sns.get_topic_attributes(TopicArn=id_)["Attributes"]
        read = {
            "arn": id_,
            "deliveryPolicy": attributes.get("DeliveryPolicy", ""),
            "displayName": attributes.get("DisplayName", ""),
            "fifoTopic": attributes.get("FifoTopic") == "true",
            "kmsMasterKeyId": attributes.get("KmsMasterKeyId", ""),
            "name": id_.rsplit(":", 1)[-1],
            "owner": attributes["Owner"],
            "policy": attributes["Policy"],
            "tags": tag_map(sns.list_tags_for_resource(ResourceArn=id_)["Tags"]),
        }
        if "SignatureVersion" in attributes:
            read["signatureVersion"] = int(attributes["SignatureVersion"])
        if "TracingConfig" in attributes:
            read["tracingConfig"] = attributes["TracingConfig"]
        return read

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        self._put(session.client("sns"), id_, inputs, changed)

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("sns").tag_resource(ResourceArn=id_, Tags=tag_list(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("sns").untag_resource(ResourceArn=id_, TagKeys=keys)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("sns").delete_topic(TopicArn=id_)

    def _put(self, sns: Any, arn: str, inputs: Properties, keys: set[str]) -> None:
        for key in sorted(keys):
            value = inputs.get(key)
            sns.set_topic_attributes(
                TopicArn=arn,
                AttributeName=f"{key[0].upper()}{key[1:]}",
                AttributeValue="" if value is None else str(value),
            )


_TOPIC_ATTRIBUTES = Topic.inputs.keys() - {"fifoTopic", "name", "region", "tags"}


class TopicPolicy(Resource):
    """The policy of a topic; deleting it restores AWS's default."""

    type = "aws:sns/topicPolicy:TopicPolicy"
    inputs = {
        "arn": Input(required=True, replaces=True, arn=True),
        "policy": Input(required=True, json=True, form=forms.policy),
        "region": REGION,
    }
    outputs = ("owner",)
    gone = _GONE

    def create(self, session: Session, inputs: Properties) -> str:
        arn = str(inputs["arn"])
        _put_policy(session, arn, inputs["policy"])
        return arn

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        attributes = session.client("sns").get_topic_attributes(TopicArn=id_)["Attributes"]
        if not attributes.get("Policy"):
            return None
        return {"arn": id_, "owner": attributes["Owner"], "policy": attributes["Policy"]}

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        _put_policy(session, id_, inputs["policy"])

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        actions = (
            *("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission"),
            *("DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish", "Receive"),
        )
        statement = {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": [f"SNS:{action}" for action in actions],
            "Resource": id_,
            "Condition": {"StringEquals": {"AWS:SourceOwner": state["owner"]}},
        }
        document = {"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}
        _put_policy(session, id_, json.dumps(document))


class TopicSubscription(Resource):
    """A subscription; recipients of mail and owners of a URL confirm it later."""

    type = "aws:sns/topicSubscription:TopicSubscription"
    inputs = {
        "confirmationTimeoutInMinutes": Input(default=1),
        "deliveryPolicy": Input(json=True, form=forms.document),
        "endpoint": Input(required=True, replaces=True),
        "endpointAutoConfirms": Input(default=False),
        "filterPolicy": Input(json=True, form=forms.document),
        "filterPolicyScope": Input(computed=True, choices=("MessageAttributes", "MessageBody")),
        "protocol": Input(required=True, replaces=True, choices=_PROTOCOLS),
        "rawMessageDelivery": Input(default=False),
        "region": REGION,
        "topic": Input(required=True, replaces=True, arn=True),
    }
    outputs = ("arn", "confirmationWasAuthenticated", "ownerId", "pendingConfirmation")
    needs = (("filterPolicyScope", "filterPolicy"),)
    gone = _GONE

    def create(self, session: Session, inputs: Properties) -> str:
        sns, protocol = session.client("sns"), inputs["protocol"]
        wanted = {key for key in _IN_PLACE if inputs.get(key)}
        arn = str(
            sns.subscribe(
                TopicArn=inputs["topic"],
                Protocol=protocol,
                Endpoint=inputs["endpoint"],
                Attributes=dict(_subscription_attributes(inputs, wanted)),
                ReturnSubscriptionArn=True,
            )["SubscriptionArn"]
        )
        in_own_time = "email" in protocol or (
            "http" in protocol and not inputs["endpointAutoConfirms"]
        )
        if not in_own_time:
            with already_created(arn):
                _wait_for_confirmation(sns, arn)
        return arn

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        attributes = session.client("sns").get_subscription_attributes(SubscriptionArn=id_)[
            "Attributes"
        ]
        read = {
            "arn": id_,
            "confirmationWasAuthenticated": attributes["ConfirmationWasAuthenticated"] == "true",
            "deliveryPolicy": attributes.get("DeliveryPolicy", ""),
            "endpoint": attributes["Endpoint"],
            "filterPolicy": attributes.get("FilterPolicy", ""),
            "ownerId": attributes["Owner"],
            "pendingConfirmation": attributes["PendingConfirmation"] == "true",
            "protocol": attributes["Protocol"],
            "rawMessageDelivery": attributes["RawMessageDelivery"] == "true",
            "topic": attributes["TopicArn"],
        }
        if "FilterPolicyScope" in attributes:
            read["filterPolicyScope"] = attributes["FilterPolicyScope"]
        return read

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        for name, value in _subscription_attributes(inputs, changed & _IN_PLACE):
            session.client("sns").set_subscription_attributes(
                SubscriptionArn=id_, AttributeName=name, AttributeValue=value
            )

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        try:
            session.client("sns").unsubscribe(SubscriptionArn=id_)
        except ClientError as error:
            if "pending confirmation" not in str(error):  # an unconfirmed subscription expires
                raise


_IN_PLACE = {"deliveryPolicy", "filterPolicy", "filterPolicyScope", "rawMessageDelivery"}


def _subscription_attributes(inputs: Properties, keys: set[str]) -> Iterable[tuple[str, str]]:
    """Yield attributes in an order in which every policy is valid in the current scope."""
    scope_first = inputs.get("filterPolicyScope") == "MessageBody"
    for key in sorted(keys, key=lambda key: (key == "filterPolicyScope") != scope_first):
        value = inputs.get(key)
        if key == "rawMessageDelivery":
            value = json.dumps(bool(value))
        elif key == "filterPolicy":
            value = value or "{}"
        yield f"{key[0].upper()}{key[1:]}", str(value or "")


def _wait_for_confirmation(sns: Any, arn: str) -> None:
    deadline = time.monotonic() + _CONFIRMED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        if attributes["PendingConfirmation"] != "true":
            return
        time.sleep(0.1)
    raise PartlyMadeError(arn, "its confirmation is still pending")


def _put_policy(session: Session, arn: str, policy: str) -> None:
    session.client("sns").set_topic_attributes(
        TopicArn=arn, AttributeName="Policy", AttributeValue=policy
    )
