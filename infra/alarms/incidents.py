"""The text that each alarm sends: what happened, what to do, and where to read more. Pure.

Each name is part of the alarm's own name and a heading in docs/operations.md, so it must not
change.
"""

from typing import NamedTuple

RUNBOOK = "docs/operations.md"


class LogLocations(NamedTuple):
    """Where an operator finds more about an incident."""

    function_logs: str
    """Log group of the function."""
    audit_logs: str
    """Log group of the trail."""
    secret_prefix: str
    """Prefix of the full names of all secrets."""
    key_alias: str
    """Alias of the environment's key, with `alias/`."""
    runbook: str = RUNBOOK
    """Page with a section for each alarm: a URL, or a path in the project."""


OF_TELEMETRY = ("failed-retrievals", "stale-values", "failovers")
"""Alarms of each function whose client publishes metrics."""
OF_FUNCTIONS = ("function-errors", "function-throttles", "function-slow", *OF_TELEMETRY)
"""Alarms of each function; all others are for the environment."""

# An alarm on events ends when no event follows.
_OK = "OK means no recurrence in the last period; it does not mean the problem is fixed."


def descriptions(locations: LogLocations) -> dict[str, str]:
    """Write each alarm's text: what happened, the first command to run, and the runbook."""
    return {
        incident: f"{text}\nRunbook: {locations.runbook}#{incident}"
        for incident, text in _texts(locations).items()
    }


def any_alarm(runbook: str) -> str:
    """Write the text of the alarm over all others."""
    return (
        "At least one alarm of this environment is in ALARM; each sends its own notification."
        " Deployments and status pages can watch this alarm."
        f"\nRunbook: {runbook}#alarms"
    )


def _texts(locations: LogLocations) -> dict[str, str]:
    logs = f"aws logs tail {locations.function_logs} --since 1h --filter-pattern"
    trail = f"aws logs tail {locations.audit_logs} --since 1h --filter-pattern"
    a_secret = f"--secret-id {locations.secret_prefix}NAME"
    identify = f"Identify the caller: {trail}"
    restore = "Then run: pulumi up --refresh"
    return {
        "function-errors": "Invocations failed: the function raised an error or timed out."
        f"\nFind the reason: {logs} '?ERROR ?timed'",
        "function-throttles": "Invocations were throttled: the function reached its"
        " reservedConcurrency, or the account's limit if it has none.\nCheck the account's limit:"
        " aws lambda get-account-settings\nThen raise reservedConcurrency, or request a higher"
        " quota for the account.",
        "function-slow": "An invocation used most of the function's timeout.\nFind slow"
        f" invocations: {logs} REPORT\nThen find out what is slow, or raise timeoutSeconds.",
        "failed-retrievals": "A secret could not be read, and no cached value was available."
        f"\nFind the reason: {logs} '{{ $.Errors > 0 }}'",
        "stale-values": "A secret could not be read, so its cached value was used. Once that is"
        f" older than maxStalenessSeconds, reads fail.\nFind the"
        f" reason: {logs} '{{ $.Stale > 0 }}'",
        "failovers": "A secret was read from a replica region, because this region did not"
        f" answer.\nFind the secret: {logs} '{{ $.Failovers > 0 }}'"
        "\nCheck the state of this region: https://health.aws.amazon.com",
        "rotation-failed": "Rotation failed. AWSCURRENT has not changed, but the database may"
        f" already have the new password. Secrets Manager will retry. {_OK}"
        f"\nIdentify the secret: {trail} RotationFailed"
        "\nThen read the log of its rotation function: it says what to do.",
        "rotation-overdue": "A secret was not rotated on schedule, or its rotation is turned off."
        f"\nCheck NextRotationDate: aws secretsmanager describe-secret {a_secret}"
        f"\nThen rotate it now: aws secretsmanager rotate-secret {a_secret}",
        "replicas-broken": "A secret lacks a replica in one of replicaRegions, or a replica is no"
        " longer updated: a failover would find no value, or an old one.\nFind the replica and the"
        f" reason: aws secretsmanager describe-secret {a_secret} --query ReplicationStatus"
        "\nFix the cause. If the replica is missing: pulumi up --refresh. If it failed, the"
        " runbook says how to add it again.",
        "denied-reads": "Access to a secret was denied: either a permission is missing, or someone"
        f" is probing for readable secrets. {_OK}"
        f'\n{identify} \'{{ $.eventName = "*GetSecretValue" && $.errorCode = "AccessDenied*" }}\'',
        "unusual-reads": "Secrets are read more often than usual at this hour."
        f"\n{identify} '{{ $.eventName = \"GetSecretValue\" }}'"
        '\nThe dashboard also shows the callers, in "Who reads?".',
        "unknown-reader": f"A secret was read by an unknown principal. {_OK}"
        f"\n{identify} '{{ $.eventName = \"GetSecretValue\" }}'"
        "\nIf the principal should not have access, rotate the secret now; if it should, add it to"
        " monitoring.knownReaders.",
        "secret-deleted": "A secret was scheduled for deletion, or a replica was deleted or"
        f" promoted. A deleted secret can be restored until its recovery window ends. {_OK}"
        f"\nFind out what was deleted: {trail}"
        ' \'{ $.eventName = "DeleteSecret" || $.eventName = "*Repli*" }\''
        f"\nRestore a secret: aws secretsmanager restore-secret {a_secret}"
        "\nRestore a replica: pulumi up --refresh",
        "policy-changed": "Permissions on the secrets or their keys were changed. A deployment"
        f" that changes permissions also triggers this alarm. {_OK}"
        f'\n{identify} \'{{ $.eventName = "*Policy*" || $.eventName = "*Grant" ||'
        f' $.eventName = "*PermissionsBoundary" }}\'\n{restore}',
        "key-disabled": "A KMS key was disabled or scheduled for deletion: that of the secrets, of"
        " a replica region, of the alarms or of the trail. Nothing encrypted with it can be read."
        f' {_OK}\nFind its ARN and region: {trail} \'{{ $.eventName = "DisableKey" ||'
        ' $.eventName = "ScheduleKeyDeletion" }\''
        "\nCheck its state: aws kms describe-key --key-id ARN --region REGION (in this region, the"
        f" secrets' key is {locations.key_alias})"
        "\nIf it is pending deletion: aws kms cancel-key-deletion --key-id ARN --region REGION"
        "\nThen, in either case: aws kms enable-key --key-id ARN --region REGION",
        "audit-silent": "CloudTrail delivered no event for an hour. While this lasts, the alarms"
        " that read CloudTrail cannot fire. A first deployment may trigger this alarm for a"
        " few minutes.\nFind the trail: aws cloudtrail describe-trails (its log group is"
        f" {locations.audit_logs})\nFind out why delivery stopped: aws cloudtrail"
        " get-trail-status --name NAME",
        "audit-changed": "A trail was changed, stopped or deleted, a log group was deleted, or a"
        " metric filter was changed or deleted, so alarms may not fire. A deployment that changes"
        " one of these also triggers this alarm."
        f' {_OK}\n{identify} \'{{ $.eventName = "*Trail" || $.eventName = "*Logging" ||'
        ' $.eventName = "*EventSelectors" || $.eventName = "*MetricFilter" ||'
        f' $.eventName = "DeleteLogGroup" }}\'\n{restore}',
    }
