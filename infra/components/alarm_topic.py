"""The topic that alarms notify, its subscribers, and the topic's own KMS key.

The topic has its own key, because an alarm about the environment's key must still arrive when that
key is disabled. Only CloudWatch may publish; no EventBridge rule does.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..aws.location import Location
from ..policies import monitoring as monitoring_policies
from . import kms_key


class SubscriptionArgs(TypedDict):
    """One subscriber."""

    protocol: str
    """email, sms, https, sqs or lambda."""
    endpoint: str
    """Address, number, URL or ARN. Email and https endpoints must confirm the subscription; the
    owner of a queue or function must allow the topic in its policy."""


class AlarmTopicArgs(TypedDict):
    """Arguments of an `AlarmTopic`."""

    alarm_prefix: str
    """Prefix of the names of the alarms that may publish."""
    alias: str
    """Alias of the key, without `alias/`."""
    partition: str
    """Partition of the account, such as `aws`."""
    region: str
    """Region of the topic and its alarms."""
    account_id: str
    """Account of the alarms."""
    subscriptions: NotRequired[Sequence[SubscriptionArgs]]
    """Who is notified (default no one)."""
    deletion_window_in_days: NotRequired[int]
    """Days in which the deletion of the key can be cancelled, 7 to 30 (default 30)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the key and the topic."""


class AlarmTopic(pulumi.ComponentResource):
    """A topic to which the alarms of one environment publish.

    Resources:
        aws.kms.Key, aws.kms.Alias: encrypts the messages of the alarms.
        aws.sns.Topic, aws.sns.TopicPolicy: only alarms may publish, and only over TLS.
        aws.sns.TopicSubscription: one for each subscriber.
    """

    arn: pulumi.Output[str]
    """ARN of the topic. Known when alarms may publish."""
    key_arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(
        self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        window = args.get("deletion_window_in_days", limits.KEY_DELETION_WINDOW_DAYS.most)
        limits.check(
            f"AlarmTopic {name!r}",
            [("deletion_window_in_days", window, limits.KEY_DELETION_WINDOW_DAYS)],
        )
        super().__init__("lambda-secrets:index:AlarmTopic", name, {**args}, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = args.get("tags")
        location = Location.from_args(args)

        key, _ = kms_key.key_with_alias(
            name,
            child,
            child,
            description=f"Messages of the alarms {args['alarm_prefix']}*",
            alias=args["alias"],
            policy=monitoring_policies.topic_key_policy(location),
            deletion_window_in_days=window,
            tags=tags,
        )
        topic = aws.sns.Topic(f"{name}-topic", kms_master_key_id=key.arn, tags=tags, opts=child)
        policy = aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=pulumi.Output.json_dumps(
                topic.arn.apply(
                    lambda arn: monitoring_policies.topic_policy(arn, args["alarm_prefix"])
                )
            ),
            opts=child,
        )
        for subscription in args.get("subscriptions", ()):
            # Not numbered: removing one would make the next confirm again.
            digest = hashlib.sha256(subscription["endpoint"].encode()).hexdigest()[:7]
            aws.sns.TopicSubscription(
                f"{name}-{subscription['protocol']}-{digest}",
                topic=topic.arn,
                protocol=subscription["protocol"],
                # A URL may have a user and a password.
                endpoint=pulumi.Output.secret(subscription["endpoint"]),
                opts=child,
            )

        self.arn = pulumi.Output.all(topic.arn, policy.id).apply(lambda resolved: str(resolved[0]))
        self.key_arn = key.arn
        self.register_outputs({"arn": self.arn, "key_arn": self.key_arn})
