"""The alarms of one environment, a composite alarm over all of them, and a dashboard.

`AlarmTopic` has the subscribers, and `infra.alarms.incidents` the text of each alarm. Events of
secrets, keys and policies are counted by metric filters on the trail's log group, so that their
alarms have a state and an end. CloudTrail delivers an event there in about five minutes.
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
# Width of the anomaly detection band, in standard deviations; it learns hours and weekdays.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Anomaly_Detection.html
_BAND_WIDTH = 3

Dimensions = dict[str, pulumi.Input[str]]
# Name of a metric filter -> metric and filter pattern.
Patterns = dict[str, tuple[str, pulumi.Input[str]]]


class WatchedFunction(TypedDict):
    """One function that reads secrets."""

    label: str
    """Prefix of its alarms' names; empty for the function `reader`."""
    name: pulumi.Input[str]
    """Name of the function."""
    log_group_name: str
    """Its log group."""
    timeout_seconds: int
    """Its timeout."""
    telemetry: bool
    """Whether its client publishes metrics; if so, it has alarms and widgets for them."""


class MonitoringArgs(TypedDict):
    """Arguments of a `Monitoring`."""

    environment: str
    """Prefix of the names of alarms and dashboard; also part of the metrics' namespace."""
    region: str
    """Region of all resources."""
    secret_prefix: str
    """Prefix of the full names of the environment's secrets."""
    existing_secret_arns: NotRequired[Sequence[str] | None]
    """ARNs of existing secrets in this account and region to watch as well (default none)."""
    key_alias: str
    """Alias of the environment's key, with `alias/`."""
    topic_arn: pulumi.Input[str]
    """ARN of the topic that alarms notify."""
    audit_log_group_name: pulumi.Input[str]
    """Log group of a trail that records this region and IAM."""
    functions: Sequence[WatchedFunction]
    """The functions that read secrets."""
    role_arns: Sequence[pulumi.Input[str]]
    """ARNs of the functions' roles: they may read; changes of their policies raise an alarm."""
    role_prefix: NotRequired[str]
    """Prefix of these roles' names, to watch more of them than patterns can list (default: each
    must fit)."""
    known_reader_arns: NotRequired[Sequence[str]]
    """ARNs of other roles and users that may read without an alarm (default none)."""
    policy_arns: NotRequired[Sequence[pulumi.Input[str]]]
    """ARNs of managed policies of these roles; a new version raises an alarm (default none)."""
    key_arns: Sequence[pulumi.Input[str]]
    """ARNs of the keys whose policies and state are watched."""
    rotating: NotRequired[Sequence[str]]
    """Full names of the secrets that rotate (default none)."""
    rotation_watch_name: NotRequired[pulumi.Input[str] | None]
    """Name of the function that reports overdue rotations (default None: no alarm)."""
    replica_watch_name: NotRequired[pulumi.Input[str] | None]
    """Name of the function that reports broken replicas (default None: no alarm)."""
    period_seconds: NotRequired[int]
    """Evaluation period in seconds (default 300, because CloudTrail's events come late)."""
    runbook_url: NotRequired[str | None]
    """URL of docs/operations.md, which each alarm links to (default None: its path)."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the alarms."""


class Monitoring(pulumi.ComponentResource):
    """Alarms on the functions, and on the secrets, their rotation, their keys and their policies.

    Resources:
        aws.cloudwatch.LogMetricFilter: counts events that CloudTrail records.
        aws.cloudwatch.MetricAlarm: one for each incident; notifies when it begins and when it
        ends. aws.cloudwatch.CompositeAlarm: whether any alarm is on. It sends no notification
        itself. aws.cloudwatch.Dashboard: health of the functions, rotation, readers.
    """

    alarm_names: pulumi.Output[dict[str, str]]
    """Incident -> name of its alarm."""
    composite_alarm_arn: pulumi.Output[str]
    """ARN of the composite alarm."""
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
        props = {key: value for key, value in args.items() if key != "role_prefix"}
        super().__init__("lambda-secrets:index:Monitoring", name, props, opts)
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
        names = [alarm.name for alarm in alarms.values()]
        parts = alarm_filters.split(names, limits.ALARMS_IN_COMPOSITE)
        if len(parts) > 1:
            names = [
                self._composite(f"any-{number}", part).alarm_name
                for number, part in enumerate(parts, start=1)
            ]
        composite = self._composite("any", names)
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

    def _composite(
        self, what: str, names: Sequence[pulumi.Output[str]]
    ) -> aws.cloudwatch.CompositeAlarm:
        return aws.cloudwatch.CompositeAlarm(
            f"{self._name}-{what}",
            alarm_name=f"{self._args['environment']}-{what}",
            alarm_description=incidents.any_alarm(self._runbook),
            alarm_rule=pulumi.Output.all(*names).apply(
                lambda known: " OR ".join(f'ALARM("{each}")' for each in sorted(known))
            ),
            tags=self._args.get("tags"),
            opts=self._child,
        )

    def _count_events(self) -> None:
        """Create a metric filter for each pattern; several may count into one metric."""
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
            # The first has the name from when there was only one.
            patterns["logs" if number == 1 else f"logs-{number}"] = (
                "ChangedAudit",
                pulumi.Output.all(*part).apply(alarm_filters.changed_logs),
            )
        role_prefix = args.get("role_prefix")
        if role_prefix is not None and len(args["role_arns"]) > alarm_filters.MANY_ROLES:
            of_many = alarm_filters.changed_policies_of_many(role_prefix)
            patterns["role-policies-1"] = ("ChangedPolicies", of_many)
        else:
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
                    # Anomaly detection also learns from hours without reads.
                    "default_value": "0" if metric == "Reads" else None,
                    "unit": "Count",
                },
                opts=self._child,
            )

    def _secret_patterns(self, secrets: alarm_filters.Secrets) -> Patterns:
        """Return the metric filters for secrets, by ids and by ARNs, unless these are empty."""
        ids, arns, patterns = secrets.ids, secrets.arns, Patterns()
        if ids:
            known = self._args.get("known_reader_arns", ())
            unknown = pulumi.Output.all(*self._args["role_arns"]).apply(
                lambda roles: alarm_filters.unknown_readers(
                    ids, roles, known, self._args.get("role_prefix")
                )
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
            # A single period is often outside the band.
            evaluation_periods=3,
            datapoints_to_alarm=2,
        )

    def _audit_silent(self) -> aws.cloudwatch.MetricAlarm:
        """Alarm if no events come, because all other alarms on events depend on them.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
        """
        return self._alarm(
            "audit-silent",
            **_any("AWS/Logs", "IncomingLogEvents"),
            dimensions={"LogGroupName": self._args["audit_log_group_name"]},
            comparison_operator="LessThanThreshold",
            period=_HOUR_SECONDS,  # at least the watch's calls are recorded, every 15 minutes
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
            # A silent watch must be noticed; a new alarm starts without data.
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
        locations = pulumi.Output.from_input(args["audit_log_group_name"]).apply(
            lambda audit_logs: incidents.LogLocations(
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
            alarm_description=locations.apply(
                lambda known: incidents.descriptions(known)[incident]
            ),
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
                lambda resolved: dashboards.body(
                    dashboards.Dashboard(
                        region=args["region"],
                        namespace=self._namespace,
                        functions=[
                            dashboards.DashboardFunction(
                                each["label"], name, each["timeout_seconds"], each["telemetry"]
                            )
                            for each, name in zip(
                                args["functions"], resolved.pop("names"), strict=True
                            )
                        ],
                        secret_prefix=args["secret_prefix"],
                        existing_arns=args.get("existing_secret_arns") or (),
                        rotating=args.get("rotating", ()),
                        period_seconds=self._period,
                        **resolved,
                    )
                )
            )
        )


def _any(namespace: str, metric: str) -> dict[str, Any]:
    """Return the settings of an alarm on a count of one or more."""
    return {"namespace": namespace, "metric_name": metric, "statistic": "Sum", "threshold": 1}
