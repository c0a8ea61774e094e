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
    """Alias of the environment's key, with ``alias/``."""


def descriptions(sight: Sight) -> dict[str, str]:
    """Write for each alarm what it means and what to do, with the command to begin with."""
    logs = f"aws logs tail {sight.function_logs} --since 1h --filter-pattern"
    trail = f"aws logs tail {sight.audit_logs} --since 1h --filter-pattern"
    a_secret = f"--secret-id {sight.secret_prefix}NAME"
    return {
        "function-errors": "Requests failed: the function raised, or was ended by its timeout."
        f" Read why: {logs} '?ERROR ?timed'",
        "function-throttles": "Requests were refused, because as many as are allowed were running."
        " Compare the limits, then raise function.reservedConcurrency: aws lambda"
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
        f" Manager tries again. Name the secret, then read its rotation function's log: {trail}"
        " RotationFailed",
        "rotation-overdue": "A secret was not rotated when it should have been, or no longer"
        " rotates at all. See NextRotationDate, then rotate it now by rotate-secret: aws"
        f" secretsmanager describe-secret {a_secret}",
        "denied-reads": "Somebody in the account was refused a secret: a missing grant, or a"
        " search for what can be read. Name the caller and tell which:"
        f' {trail} \'{{ $.eventName = "GetSecretValue" && $.errorCode = "AccessDenied*" }}\'',
        "unusual-reads": "Secrets are read more often than at this hour of other days. See by"
        ' whom, in the dashboard\'s "Who reads?", or:'
        f" {trail} '{{ $.eventName = \"GetSecretValue\" }}'",
        "unknown-reader": "A secret was read by nobody known. If the caller should not have it,"
        " rotate the secret now; if it should, name it in monitoring.knownReaders:"
        f" {trail} '{{ $.eventName = \"GetSecretValue\" }}'",
        "secret-deleted": "A secret, or a replica of it, was deleted; it is lost at the end"
        f" of its recovery window. Bring it back: aws secretsmanager restore-secret {a_secret}",
        "policy-changed": "Somebody changed who may have the secrets or use a key; a deployment"
        " that changes grants does so, too. Name the caller, and deploy again to undo it:"
        f' {trail} \'{{ $.eventName = "*Policy*" || $.eventName = "CreateGrant" }}\'',
        "key-disabled": "A key was disabled or is to be deleted, and nothing under it can be read"
        " from then on. Bring it back, by kms cancel-key-deletion and kms enable-key: aws kms"
        f" describe-key --key-id {sight.key_alias}",
    }
