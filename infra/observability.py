"""Creates the audit trail, the alarms and their topic.

As in `wiring`, there is a function for each part. They come last, because they refer to all
others.
"""

from collections.abc import Mapping

from . import own_files
from .alarms import filters as alarm_filters
from .aws.location import Location
from .components.alarm_topic import AlarmTopic
from .components.audit import Audit
from .components.extension_function import ExtensionFunction
from .components.monitoring import Monitoring, MonitoringArgs
from .components.rotation_watch import RotationWatch
from .config.rules import monitoring as monitoring_rules
from .config.settings import reject
from .wiring import Context, Deployed


def audit(context: Context) -> Audit | None:
    """Create the trail, with `audit.trail: own`."""
    env, settings = context.env, context.env.settings.audit
    if settings.trail != "own":
        return None
    return Audit(
        "audit",
        {
            "trail_name": env.name,
            "log_group_name": env.names.trail_log_group,
            "alias": env.names.audit_alias.removeprefix("alias/"),
            **context.location.args,
            "retention_days": settings.retention_days,
            "log_retention_days": settings.log_retention_days,
            "deletion_window_in_days": env.settings.key.deletion_window_days,
            "protect": env.protects("protectAudit"),
            "role_path": env.settings.roles.path,
            "permissions_boundary": env.settings.roles.permissions_boundary,
            "tags": env.tags,
        },
    )


def alarm_topic(context: Context) -> AlarmTopic:
    """Create the topic that alarms notify, with its subscriptions."""
    env, settings = context.env, context.env.settings
    return AlarmTopic(
        "alarms",
        {
            "alarm_prefix": f"{env.name}-",
            "alias": env.names.alarms_alias.removeprefix("alias/"),
            **context.location.args,
            "subscriptions": [
                {"protocol": each.protocol, "endpoint": each.endpoint}
                for each in settings.monitoring.subscriptions
            ],
            "deletion_window_in_days": settings.key.deletion_window_days,
            "tags": env.tags,
        },
    )


def rotation_watch(context: Context, deployed: Deployed) -> RotationWatch | None:
    """Create the function that watches rotations and replicas, if there are any."""
    env, rotations = context.env, deployed.rotations
    regions = env.settings.replica_regions
    if not rotations and not regions:
        return None
    return RotationWatch(
        "rotation-watch",
        {
            "secret_arns": {
                env.secret_prefix + name: secret.arn
                for name, secret in deployed.secrets.items()
                if regions or name in rotations
            },
            "rotating": [env.secret_prefix + name for name in rotations],
            "replica_regions": regions,
            "secret_prefix": env.secret_prefix,
            "account_id": context.location.account_id,
            "file": own_files.HANDLER / "rotation_watch.py",
            **context.small_function("rotation-watch", deployed.keys.home),
        },
    )


def monitoring(
    context: Context,
    deployed: Deployed,
    functions: Mapping[str, ExtensionFunction],
    trail: Audit | None,
) -> tuple[Monitoring, AlarmTopic] | None:
    """Create alarms, topic and dashboard, with `monitoring.enabled`."""
    env, settings = context.env, context.env.settings.monitoring
    if not settings.enabled:
        return None
    topic = alarm_topic(context)
    watch = rotation_watch(context, deployed)
    keys, roles, rotations = deployed.keys, deployed.roles, deployed.rotations
    recorded = trail.log_group_name if trail else env.settings.audit.log_group_name or ""
    existing = env.watched_existing(context.location.account_id)
    args: MonitoringArgs = {
        "environment": env.name,
        "region": context.location.region,
        "secret_prefix": env.secret_prefix,
        "role_prefix": env.names.physical_prefix,
        "existing_secret_arns": existing or None,
        "key_alias": env.names.key_alias,
        "topic_arn": topic.arn,
        "audit_log_group_name": recorded,
        "functions": [
            {
                "label": function.label,
                "name": functions[name].name,
                "log_group_name": f"{env.log_group_prefix}{function.log_group}",
                "timeout_seconds": function.settings.timeout_seconds,
                "telemetry": function.settings.telemetry,
            }
            for name, function in env.functions.items()
        ],
        "role_arns": [
            *(role.arn for role in roles.values()),
            *(each.role_arn for each in dict.fromkeys(rotations.values())),
            *(each.role_arn for each in deployed.seeders),
        ],
        "policy_arns": [
            *(arn for role in roles.values() for arn in role.policy_arns),
            *(arn for each in deployed.seeders for arn in each.policy_arns),
        ],
        "known_reader_arns": [
            *settings.known_readers,
            *(reader.role for reader in env.settings.readers.values()),
        ],
        "key_arns": [
            *(each.arn for each in (keys.home, *keys.replicas.values())),
            topic.key_arn,
            *([trail.key_arn] if trail else []),
            *_existing_keys(context, existing),
        ],
        "rotating": [env.secret_prefix + name for name in rotations],
        "rotation_watch_name": watch.function_name if watch and rotations else None,
        "replica_watch_name": watch.function_name if watch and keys.replicas else None,
        "period_seconds": settings.period_seconds,
        "runbook_url": settings.runbook_url,
        "tags": env.tags,
    }
    needed = alarm_filters.count(
        alarm_filters.of_existing(existing),
        log_groups=1 + len(args["functions"]),
        roles=len(args["role_arns"]),
        policies=len(args["policy_arns"]),
        keys=len(args["key_arns"]),
    )
    reject(env, monitoring_rules.filters(needed))
    return Monitoring("monitoring", args), topic


def _existing_keys(context: Context, existing: list[str]) -> list[str]:
    """ARNs of the keys of existing secrets whose events a trail of this account records."""
    secrets = context.env.settings.existing_secrets.values()
    keys = {each.key_arn for each in secrets if each.key_arn and each.existing in existing}
    return sorted(key for key in keys if Location.of(key) == context.location)
