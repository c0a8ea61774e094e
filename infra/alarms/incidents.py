"""What each alarm means, and what to do: the text that it sends. Pure.

The names are those of the alarms, after the environment's, and of the sections of
docs/operations.md: they stay.
"""

from typing import NamedTuple


class Sight(NamedTuple):
    """Where an operator looks."""

    function_logs: str
    """Log group of the function."""
    audit_logs: str
    """Log group of the trail."""
    secret_prefix: str
    """What every secret's full name starts with."""
    key_alias: str
    """Alias of the environment's key, with `alias/`."""


OF_TELEMETRY = ("failed-retrievals", "stale-values", "failovers")
"""Alarms of each function whose client prints metrics."""
OF_FUNCTIONS = ("function-errors", "function-throttles", "function-slow", *OF_TELEMETRY)
"""Alarms of each function, where all others are the environment's."""

# An alarm on events knows of no other end.
_OK = "OK means that it did not happen again, not that it is mended."


def descriptions(sight: Sight) -> dict[str, str]:
    """Write for each alarm what it means and what to do, with the command to begin with."""
    logs = f"aws logs tail {sight.function_logs} --since 1h --filter-pattern"
    trail = f"aws logs tail {sight.audit_logs} --since 1h --filter-pattern"
    a_secret = f"--secret-id {sight.secret_prefix}NAME"
    return {
        "function-errors": "Requests failed: the function raised, or was ended by its timeout."
        f" Read why: {logs} '?ERROR ?timed'",
        "function-throttles": "Requests were refused, because as many as are allowed were running."
        " Compare the limits, then raise the function's reservedConcurrency: aws lambda"
        " get-account-settings",
        "function-slow": "A request took most of the function's timeout; the next may be ended by"
        f" it. See which: {logs} REPORT",
        "failed-retrievals": "A secret could not be read, and no value of before was at hand."
        f" Read the reason: {logs} '{{ $.Errors > 0 }}'",
        "stale-values": "A value of before was served, because the secret could not be read; it"
        f" is within maxStalenessSeconds. Read the reason before it is not: {logs}"
        " '{ $.Stale > 0 }'",
        "failovers": "A secret was read in a replica region, because this region did not answer."
        f" See which, and whether AWS knows (https://health.aws.amazon.com): {logs}"
        " '{ $.Failovers > 0 }'",
        "rotation-failed": "A rotation failed; the value of before stays in use, and Secrets"
        f" Manager tries again. {_OK} Name the secret, then read its rotation function's log:"
        f" {trail} RotationFailed",
        "rotation-overdue": "A secret was not rotated when it should have been, or no longer"
        " rotates at all. See NextRotationDate, then rotate it now by rotate-secret: aws"
        f" secretsmanager describe-secret {a_secret}",
        "replicas-broken": "A secret has no replica where it should, or one that no longer follows"
        " it: a failover would find nothing, or an old value. See which and why, mend that, then"
        " pulumi up --refresh: aws secretsmanager describe-secret"
        f" {a_secret} --query ReplicationStatus",
        "denied-reads": "Somebody in the account was refused a secret: a missing grant, or a"
        f" search for what can be read. {_OK} Name the caller and tell which:"
        f' {trail} \'{{ $.eventName = "*GetSecretValue" && $.errorCode = "AccessDenied*" }}\'',
        "unusual-reads": "Secrets are read more often than at this hour of other days. See by"
        ' whom, in the dashboard\'s "Who reads?", or:'
        f" {trail} '{{ $.eventName = \"GetSecretValue\" }}'",
        "unknown-reader": f"A secret was read by nobody known. {_OK} If the caller should not have"
        " it, rotate the secret now; if it should, name it in monitoring.knownReaders:"
        f" {trail} '{{ $.eventName = \"GetSecretValue\" }}'",
        "secret-deleted": "A secret was deleted, and is lost at the end of its recovery window;"
        f" or a replica was, or was promoted. {_OK} See which: {trail}"
        ' \'{ $.eventName = "DeleteSecret" || $.eventName = "*Repli*" }\'. Bring a secret back by'
        f" aws secretsmanager restore-secret {a_secret}, and a replica by"
        " pulumi up --refresh",
        "policy-changed": "Somebody changed who may have the secrets or use a key; a deployment"
        f" that changes grants does so, too. {_OK} Name the caller, then pulumi up --refresh:"
        f' {trail} \'{{ $.eventName = "*Policy*" || $.eventName = "*Grant" ||'
        ' $.eventName = "*PermissionsBoundary" }\'',
        "key-disabled": "A key was disabled or is to be deleted, and nothing under it can be read"
        " from then on: that of the secrets, of a replica's region, of the alarms or of the trail."
        f' {_OK} Name its ARN and region: {trail} \'{{ $.eventName = "DisableKey" ||'
        ' $.eventName = "ScheduleKeyDeletion" }\'. Bring it back with these, by kms'
        " cancel-key-deletion and kms enable-key: aws kms describe-key --key-id ARN --region"
        f" REGION (in this region, the secrets' is {sight.key_alias})",
        "audit-silent": "No call of the account was recorded for an hour, which does not happen:"
        " no alarm on secrets, policies or keys can come. A first deployment may set it off for"
        " some minutes. See whether the trail logs, and why not: aws cloudtrail describe-trails;"
        f" aws cloudtrail get-trail-status --name NAME; it writes to {sight.audit_logs}",
        "audit-changed": "Somebody changed or ended what is recorded or counted, so that alarms"
        f" may be missed; a deployment that changes them does so, too. {_OK} Name the caller, then"
        f' pulumi up --refresh: {trail} \'{{ $.eventName = "*Trail" ||'
        ' $.eventName = "*Logging" || $.eventName = "*EventSelectors" ||'
        ' $.eventName = "*MetricFilter" || $.eventName = "DeleteLogGroup" }\'',
    }
