"""Replaces the current version of a secret without overwriting a concurrent write.

A new version is created under its own staging label. Then it takes AWSPENDING, so that no rotation
can start, and AWSCURRENT. Each move names the version that loses the label, and Secrets Manager
rejects the move if another version has it.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
"""

import contextlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

_CURRENT, _PENDING, _OWN = "AWSCURRENT", "AWSPENDING", "SEEDING"
_ID_PREFIX = "seeding-"
# A version that has been pending for longer is abandoned: the functions of seeder and rotation
# time out earlier.
_ABANDONED_AFTER = timedelta(seconds=60)


class Changed(Exception):
    """Another writer's version is current or pending now; the secret was not changed."""


class Pending(Exception):
    """AWSPENDING is on the version of a running or failed rotation, or of another seeding."""


class Version(NamedTuple):
    """The current version of a secret; id and text are None if there is none."""

    id: str | None = None
    text: str | None = None
    """Also None if the value is binary."""


def current(secrets: Any, secret_id: str) -> Version:
    """Read the current version."""
    try:
        answer = secrets.get_secret_value(SecretId=secret_id)
    except secrets.exceptions.ResourceNotFoundException:
        return Version()  # a missing secret fails when it is written
    return Version(answer["VersionId"], answer.get("SecretString"))


def replace(secrets: Any, secret_id: str, version: Version, text: str) -> str:
    """Make `text` the current value instead of `version`, and return the new version's id.

    If interrupted, it leaves a version that is not current, which the next call ignores.

    Raises:
        Changed: `version` is no longer current, or a rotation has started.
        Pending: a rotation is running or has failed.

    """
    held = _takes_pending_from(secrets, secret_id)
    made = secrets.put_secret_value(
        SecretId=secret_id,
        ClientRequestToken=f"{_ID_PREFIX}{uuid.uuid4()}",
        SecretString=text,
        VersionStages=[_OWN],
    )
    labels = _Labels(secrets, secret_id, made["VersionId"])
    try:
        if _CURRENT in made["VersionStages"]:  # the first version of a secret gets it immediately
            return labels.version
        try:
            labels.take(_PENDING, held)
            labels.take(_CURRENT, version.id)
        finally:
            labels.leave(_PENDING)
    finally:
        labels.leave(_OWN)
    return labels.version


def _takes_pending_from(secrets: Any, secret_id: str) -> str | None:
    """Return the version that may lose AWSPENDING; None if no version has it."""
    stages = secrets.describe_secret(SecretId=secret_id).get("VersionIdsToStages", {})
    for version, labels in stages.items():
        if _PENDING in labels:
            # After a rotation it may stay on the version that is now current.
            if _CURRENT in labels or _is_abandoned(secrets, secret_id, version):
                return str(version)
            raise Pending
    return None


def _is_abandoned(secrets: Any, secret_id: str, version: str) -> bool:
    """Return whether a pending version is abandoned and not needed.

    An interrupted seeding leaves such a version; so may a rotation, or the test of one, that
    failed before the version had a value.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    """
    if not version.startswith(_ID_PREFIX):
        try:
            secrets.get_secret_value(SecretId=secret_id, VersionId=version)
        except secrets.exceptions.ResourceNotFoundException:
            pass  # it has no value
        else:
            return False
    # At most 20 versions have labels, which fit one page.
    listed = secrets.list_secret_version_ids(SecretId=secret_id, MaxResults=100)["Versions"]
    made = [each["CreatedDate"] for each in listed if each["VersionId"] == version]
    return bool(made) and made[0] < datetime.now(UTC) - _ABANDONED_AFTER


class _Labels:
    """The staging labels of one version."""

    def __init__(self, secrets: Any, secret_id: str, version: str) -> None:
        self._secrets, self._secret_id, self.version = secrets, secret_id, version

    def take(self, label: str, holder: str | None) -> None:
        """Move a label to this version from `holder`, or from none; otherwise raise `Changed`."""
        left = {} if holder is None else {"RemoveFromVersionId": holder}
        try:
            self._move(label, MoveToVersionId=self.version, **left)
        except self._secrets.exceptions.InvalidParameterException:
            raise Changed from None

    def leave(self, label: str) -> None:
        """Remove a label from the version, if it has it."""
        # Rejected if another version has it now.
        with contextlib.suppress(self._secrets.exceptions.InvalidParameterException):
            self._move(label, RemoveFromVersionId=self.version)

    def _move(self, label: str, **versions: str) -> None:
        self._secrets.update_secret_version_stage(
            SecretId=self._secret_id, VersionStage=label, **versions
        )
