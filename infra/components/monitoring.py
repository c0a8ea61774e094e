"""The alarms of one environment, one state over all of them, and a dashboard.

Whom they tell is the topic's; what each means stands in `incidents`. What happens to secrets,
keys and policies is counted by metric filters on the trail's log group, so that it has a state
and an end; CloudTrail brings an event there in about five minutes.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..alarms import dashboards, incidents
from ..alarms import filters as alarm_filters
from ..aws import limits

_SLOW = 0.8
_HOUR_SECONDS = 3600
# Anomaly detection learns hours and weekdays; its band is so many deviations wide.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Anomaly_Detection.html
_BAND_WIDTH = 3

Dimensions = dict[str, pulumi.Input[str]]
# What is counted -> metric and filter pattern.
Patterns = dict[str, tuple[str, pulumi.Input[str]]]


class WatchedFunction(TypedDict):
    """One function that reads secrets."""

    label: str
    """What the names of its alarms begin with; empty: those of a single function."""
    name: pulumi.Input[str]
    """Name of the function."""
    log_group_name: str
    """Its log group."""
    timeout_seconds: int
    """Its timeout."""
    telemetry: bool
    """Whether its client prints metrics, which alarms and dashboard then show."""


class MonitoringArgs(TypedDict):
    """What a `Monitoring` is made of."""

    environment: str
    """What the names of alarms and dashboard, and the metrics' namespace, hold."""
    region: str
    """Region of all of this."""
    secret_prefix: str
    """What the full name of every secret of the environment starts with."""
    existing_secret_arns: NotRequired[Sequence[str] | None]
    """ARNs of further secrets, of this account and region, to watch as well (default none)."""
    key_alias: str
    """Alias of the environment's key, with `alias/`."""
    topic_arn: pulumi.Input[str]
    """ARN of the topic that alarms tell."""
    audit_log_group_name: pulumi.Input[str]
    """Log group of a trail that records this region and IAM."""
    functions: Sequence[WatchedFunction]
    """The functions that read secrets."""
    role_arns: Sequence[pulumi.Input[str]]
    """ARNs of the functions' roles: they may read, and a change of their policies is told."""
    known_reader_arns: NotRequired[Sequence[str]]
    """ARNs of other roles and users that may read without an alarm (default none)."""
    policy_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """ARNs of managed policies of these roles: a new version of them is told (default none)."""
    key_arns: Sequence[pulumi.Input[str]]
    """ARNs of the keys that everything here depends on."""
    rotating: NotRequired[Sequence[str]]
    """Full names of the secrets that rotate (default none)."""
    rotation_watch_name: NotRequired[pulumi.Input[str] | None]
    """Name of the function that tells which are overdue (default None: no alarm)."""
    replica_watch_name: NotRequired[pulumi.Input[str] | None]
    """Name of the function that tells which replicas are broken (default None: no alarm)."""
    period_seconds: NotRequired[int]
    """Seconds that an alarm looks at (default 300, as CloudTrail's events come minutes late)."""
    runbook_url: NotRequired[str | None]
    """URL of docs/operations.md, which each alarm links to (default None: its path)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the alarms."""


class Monitoring(pulumi.ComponentResource):
    """Alarms on the functions, their secrets, their rotation, their keys and who may have them.

    Resources:
        aws.cloudwatch.LogMetricFilter: counts what CloudTrail records; of nothing but events.
        aws.cloudwatch.MetricAlarm: one an incident; tells when it begins and when it ends.
        aws.cloudwatch.CompositeAlarm: whether any is on. Tells nobody, for that one does itself.
        aws.cloudwatch.Dashboard: is it healthy, is it rotating, who reads.
    """

    alarm_names: pulumi.Output[dict[str, str]]
    """Incident -> name of its alarm."""
    composite_alarm_arn: pulumi.Output[str]
    """ARN of the alarm over all."""
    dashboard_name: pulumi.Output[str]
    """Name of the dashboard."""

    def __init__(
        self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        self._name, self._args = name, args
        self._period = args.get("period_seconds", 300)
        self._runbook = args.get("runbook_url") or incidents.RUNBOOK
        self._namespace = f"LambdaSecrets/{args['environment']}"
        limits.check(
            f"Monitoring {name!r}", [("period_seconds", self._period, limits.ALARM_PERIOD_SECONDS)]
        )
        if not args["role_arns"] or not args["key_arns"]:
            raise ValueError(
                f"Monitoring {name!r}: role_arns and key_arns must each list at least one ARN"
            )
        self._existing = alarm_filters.of_existing(args.get("existing_secret_arns") or ())
        if len(self._existing) > limits.EXISTING_SECRET_PARTS:
            raise ValueError(
                f"Monitoring {name!r}: existing_secret_arns need {len(self._existing)} filters of"
                f" each kind, but a log group has room for {limits.EXISTING_SECRET_PARTS}; list"
                " fewer existing secrets"
            )
        super().__init__("lambda-secrets:index:Monitoring", name, {**args}, opts)
        self._child = pulumi.ResourceOptions(parent=self)

        self._count_events()
        alarms = {
            **{
                incident: alarm
                for function in args["functions"]
                for incident, alarm in self._function_alarms(function).items()
            },
            **self._event_alarms(),
            "unusual-reads": self._unusual_reads(),
            "audit-silent": self._audit_silent(),
        }
        if (watch := args.get("rotation_watch_name")) is not None:
            alarms["rotation-overdue"] = self._watched(
                watch, "rotation-overdue", "RotationOverdue"
            )
        if (watch := args.get("replica_watch_name")) is not None:
            alarms["replicas-broken"] = self._watched(watch, "replicas-broken", "ReplicasBroken")
        composite = aws.cloudwatch.CompositeAlarm(
            f"{name}-any",
            alarm_name=f"{args['environment']}-any",
            alarm_description=incidents.any_alarm(self._runbook),
            alarm_rule=pulumi.Output.all(*(alarm.name for alarm in alarms.values())).apply(
                lambda names: " OR ".join(f'ALARM("{each}")' for each in sorted(names))
            ),
            tags=args.get("tags"),
            opts=self._child,
        )
        dashboard = aws.cloudwatch.Dashboard(
            f"{name}-dashboard",
            dashboard_name=args["environment"],
            dashboard_body=self._dashboard([alarm.arn for alarm in alarms.values()]),
            opts=self._child,
        )

        self.alarm_names = pulumi.Output.all(
            **{incident: alarm.name for incident, alarm in alarms.items()}
        )
        self.composite_alarm_arn = composite.arn
        self.dashboard_name = dashboard.dashboard_name
        self.register_outputs(
            {
                "alarm_names": self.alarm_names,
                "composite_alarm_arn": self.composite_alarm_arn,
                "dashboard_name": self.dashboard_name,
            }
        )

    def _count_events(self) -> None:
        """Make a metric filter of each pattern; several may count the same thing."""
        args = self._args
        patterns: Patterns = {
            "denied-reads": ("DeniedReads", alarm_filters.denied_reads()),
            **self._secret_patterns(alarm_filters.of_environment(args["secret_prefix"])),
            "trails": ("ChangedAudit", alarm_filters.changed_trails()),
        }
        for number, secrets in enumerate(self._existing, start=1):
            of_existing = self._secret_patterns(secrets).items()
            patterns |= {f"existing-{what}-{number}": counted for what, counted in of_existing}
        logs = [
            args["audit_log_group_name"],
            *(each["log_group_name"] for each in args["functions"]),
        ]
        for number, part in enumerate(alarm_filters.split(logs), start=1):
            # The first kept its name when there came to be more.
            patterns["logs" if number == 1 else f"logs-{number}"] = (
                "ChangedAudit",
                pulumi.Output.all(*part).apply(alarm_filters.changed_logs),
            )
        for number, part in enumerate(alarm_filters.split(args["role_arns"]), start=1):
            patterns[f"role-policies-{number}"] = (
                "ChangedPolicies",
                pulumi.Output.all(*part).apply(alarm_filters.changed_role_policies),
            )
        for number, part in enumerate(alarm_filters.split(args.get("policy_arns", ())), start=1):
            patterns[f"managed-policies-{number}"] = (
                "ChangedPolicies",
                pulumi.Output.all(*part).apply(alarm_filters.changed_managed_policies),
            )
        for number, part in enumerate(alarm_filters.split(args["key_arns"]), start=1):
            keys = pulumi.Output.all(*part)
            patterns[f"key-policies-{number}"] = (
                "ChangedPolicies",
                keys.apply(alarm_filters.changed_key_policies),
            )
            patterns[f"disabled-keys-{number}"] = (
                "DisabledKeys",
                keys.apply(alarm_filters.disabled_keys),
            )
        for what, (metric, pattern) in patterns.items():
            aws.cloudwatch.LogMetricFilter(
                f"{self._name}-{what}",
                log_group_name=args["audit_log_group_name"],
                pattern=pattern,
                metric_transformation={
                    "namespace": self._namespace,
                    "name": metric,
                    "value": "1",
                    # What is usual is learnt from hours without any, too.
                    "default_value": "0" if metric == "Reads" else None,
                    "unit": "Count",
                },
                opts=self._child,
            )

    def _secret_patterns(self, secrets: alarm_filters.Secrets) -> Patterns:
        """Write what is counted of secrets, by their ids and their ARNs, as far as these are."""
        ids, arns, patterns = secrets.ids, secrets.arns, Patterns()
        if ids:
            known = self._args.get("known_reader_arns", ())
            unknown = pulumi.Output.all(*self._args["role_arns"]).apply(
                lambda roles: alarm_filters.unknown_readers(ids, [*roles, *known])
            )
            patterns |= {
                "reads": ("Reads", alarm_filters.reads(ids)),
                "unknown-readers": ("UnknownReaders", unknown),
                "deleted-secrets": ("DeletedSecrets", alarm_filters.deleted_secrets(ids)),
                "secret-policies": ("ChangedPolicies", alarm_filters.changed_secret_policies(ids)),
            }
        if arns:
            failed, done = (
                alarm_filters.rotations(arns, event)
                for event in ("RotationFailed", "RotationSucceeded")
            )
            patterns |= {
                "failed-rotations": ("RotationsFailed", failed),
                "rotations": ("RotationsSucceeded", done),
                "grants": ("ChangedPolicies", alarm_filters.changed_grants(arns)),
            }
        return patterns

    def _function_alarms(self, function: WatchedFunction) -> dict[str, aws.cloudwatch.MetricAlarm]:
        alarms = {
            "function-errors": _any("AWS/Lambda", "Errors"),
            "function-throttles": _any("AWS/Lambda", "Throttles"),
            "function-slow": {
                "namespace": "AWS/Lambda",
                "metric_name": "Duration",
                "statistic": "Maximum",
                "threshold": function["timeout_seconds"] * 1000 * _SLOW,
            },
        }
        if function["telemetry"]:
            alarms |= {
                "failed-retrievals": _any("LambdaSecrets", "Errors"),
                "stale-values": _any("LambdaSecrets", "Stale"),
                "failovers": _any("LambdaSecrets", "Failovers"),
            }
        label = function["label"] and f"{function['label']}-"
        return {
            f"{label}{incident}": self._alarm(
                incident,
                function,
                dimensions={"FunctionName": function["name"]},
                period=self._period,
                **settings,
            )
            for incident, settings in alarms.items()
        }

    def _event_alarms(self) -> dict[str, aws.cloudwatch.MetricAlarm]:
        metrics = {
            "rotation-failed": "RotationsFailed",
            "denied-reads": "DeniedReads",
            "unknown-reader": "UnknownReaders",
            "secret-deleted": "DeletedSecrets",
            "policy-changed": "ChangedPolicies",
            "key-disabled": "DisabledKeys",
            "audit-changed": "ChangedAudit",
        }
        return {
            incident: self._alarm(incident, **_any(self._namespace, metric), period=self._period)
            for incident, metric in metrics.items()
        }

    def _unusual_reads(self) -> aws.cloudwatch.MetricAlarm:
        metric = {
            "namespace": self._namespace,
            "metric_name": "Reads",
            "stat": "Sum",
            "period": max(self._period, 300),
        }
        return self._alarm(
            "unusual-reads",
            comparison_operator="GreaterThanUpperThreshold",
            threshold_metric_id="usual",
            metric_queries=[
                {"id": "reads", "return_data": True, "metric": metric},
                {
                    "id": "usual",
                    "expression": f"ANOMALY_DETECTION_BAND(reads, {_BAND_WIDTH})",
                    "label": "as usual",
                    "return_data": True,
                },
            ],
            # One period alone is soon beyond what is usual.
            evaluation_periods=3,
            datapoints_to_alarm=2,
        )

    def _audit_silent(self) -> aws.cloudwatch.MetricAlarm:
        """Alarm on what every other alarm on events needs: that events come.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
        """
        return self._alarm(
            "audit-silent",
            **_any("AWS/Logs", "IncomingLogEvents"),
            dimensions={"LogGroupName": self._args["audit_log_group_name"]},
            comparison_operator="LessThanThreshold",
            period=_HOUR_SECONDS,  # the watch alone is recorded every 15 minutes
            treat_missing_data="breaching",
        )

    def _watched(
        self, watch: pulumi.Input[str], incident: str, metric: str
    ) -> aws.cloudwatch.MetricAlarm:
        return self._alarm(
            incident,
            namespace="LambdaSecrets",
            metric_name=metric,
            dimensions={"FunctionName": watch},
            statistic="Maximum",
            threshold=1,
            period=_HOUR_SECONDS,
            # Who watches is not to fall silent unnoticed; a new alarm has not heard of it yet.
            treat_missing_data="missing",
            insufficient_data_actions=[self._args["topic_arn"]],
        )

    def _alarm(
        self,
        incident: str,
        function: WatchedFunction | None = None,
        **settings: Any,  # noqa: ANN401 (arguments of MetricAlarm)
    ) -> aws.cloudwatch.MetricAlarm:
        args = self._args
        sight = pulumi.Output.from_input(args["audit_log_group_name"]).apply(
            lambda audit_logs: incidents.Sight(
                function["log_group_name"] if function else "",
                audit_logs,
                args["secret_prefix"],
                args["key_alias"],
                self._runbook,
            )
        )
        label = function["label"] if function else ""
        name = f"{label}-{incident}" if label else incident
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{name}",
            name=f"{args['environment']}-{name}",
            alarm_description=sight.apply(lambda seen: incidents.descriptions(seen)[incident]),
            alarm_actions=[args["topic_arn"]],
            ok_actions=[args["topic_arn"]],
            tags=args.get("tags"),
            opts=self._child,
            **{
                "comparison_operator": "GreaterThanOrEqualToThreshold",
                "evaluation_periods": 1,
                "treat_missing_data": "notBreaching",
                **settings,
            },
        )

    def _dashboard(self, alarm_arns: Sequence[pulumi.Output[str]]) -> pulumi.Output[str]:
        args = self._args
        known = pulumi.Output.all(
            names=pulumi.Output.all(*(each["name"] for each in args["functions"])),
            audit_log_group=args["audit_log_group_name"],
            alarm_arns=pulumi.Output.all(*alarm_arns),
        )
        return pulumi.Output.json_dumps(
            known.apply(
                lambda found: dashboards.body(
                    dashboards.View(
                        region=args["region"],
                        namespace=self._namespace,
                        functions=[
                            dashboards.FunctionView(
                                each["label"], name, each["timeout_seconds"], each["telemetry"]
                            )
                            for each, name in zip(
                                args["functions"], found.pop("names"), strict=True
                            )
                        ],
                        secret_prefix=args["secret_prefix"],
                        existing_arns=args.get("existing_secret_arns") or (),
                        rotating=args.get("rotating", ()),
                        period_seconds=self._period,
                        **found,
                    )
                )
            )
        )


def _any(namespace: str, metric: str) -> dict[str, Any]:
    """Alarm on one and more of what is counted."""
    return {"namespace": namespace, "metric_name": metric, "statistic": "Sum", "threshold": 1}
