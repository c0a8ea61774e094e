"""Replaces the current version of a secret, and nobody else's write with it.

A new version is made under a label of its own. Then it takes AWSPENDING, without which no rotation
begins, and AWSCURRENT. Each move names the version that the label leaves, and Secrets Manager
refuses it where another has the label by now.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html
"""

import contextlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

_CURRENT, _PENDING, _OWN = "AWSCURRENT", "AWSPENDING", "SEEDING"
_ID_PREFIX = "seeding-"
# What has been pending for longer, nobody works on: so long may the functions of seeder and
# rotation run.
_ABANDONED_AFTER = timedelta(seconds=60)


class Changed(Exception):
    """Somebody else's version is current or pending meanwhile; the secret is as they left it."""


class Pending(Exception):
    """AWSPENDING is on the version of a rotation, or of another seeding, under way or failed."""


class Version(NamedTuple):
    """The current version of a secret; without id and text as long as there is none."""

    id: str | None = None
    text: str | None = None
    """None as well where the value is binary."""


def current(secrets: Any, secret_id: str) -> Version:
    """Read the current version."""
    try:
        answer = secrets.get_secret_value(SecretId=secret_id)
    except secrets.exceptions.ResourceNotFoundException:
        return Version()  # a secret that does not exist refuses the write
    return Version(answer["VersionId"], answer.get("SecretString"))


def replace(secrets: Any, secret_id: str, version: Version, text: str) -> str:
    """Make `text` the current value in the place of `version`, and return its version's id.

    Ended halfway, it leaves a version that is not current; the next one goes on without it.

    Raises:
        Changed: `version` is not the current one, or a rotation has begun.
        Pending: there is one.

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
        if _CURRENT in made["VersionStages"]:  # the first version of all gets it at once
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
    """Return the version that AWSPENDING may be taken from; None where none has it."""
    stages = secrets.describe_secret(SecretId=secret_id).get("VersionIdsToStages", {})
    for version, labels in stages.items():
        if _PENDING in labels:
            # After a rotation it may stay on the version that is current since.
            if _CURRENT in labels or _is_abandoned(secrets, secret_id, version):
                return str(version)
            raise Pending
    return None


def _is_abandoned(secrets: Any, secret_id: str, version: str) -> bool:
    """Tell whether nobody works on a version any more, and nobody needs it.

    A seeding that ended halfway leaves such a version; so may a rotation or a test of one that
    failed before there was a value.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
    """
    if not version.startswith(_ID_PREFIX):
        try:
            secrets.get_secret_value(SecretId=secret_id, VersionId=version)
        except secrets.exceptions.ResourceNotFoundException:
            pass  # it has no value
        else:
            return False
    # Of versions with labels there are 20 at most, which is one page.
    listed = secrets.list_secret_version_ids(SecretId=secret_id, MaxResults=100)["Versions"]
    made = [each["CreatedDate"] for each in listed if each["VersionId"] == version]
    return bool(made) and made[0] < datetime.now(UTC) - _ABANDONED_AFTER


class _Labels:
    """The labels of one version."""

    def __init__(self, secrets: Any, secret_id: str, version: str) -> None:
        self._secrets, self._secret_id, self.version = secrets, secret_id, version

    def take(self, label: str, holder: str | None) -> None:
        """Take a label from the version that has it, or from none; raise `Changed` otherwise."""
        left = {} if holder is None else {"RemoveFromVersionId": holder}
        try:
            self._move(label, MoveToVersionId=self.version, **left)
        except self._secrets.exceptions.InvalidParameterException:
            raise Changed from None

    def leave(self, label: str) -> None:
        """Take a label off the version, if it has it."""
        # Refused: another version has it by now.
        with contextlib.suppress(self._secrets.exceptions.InvalidParameterException):
            self._move(label, RemoveFromVersionId=self.version)

    def _move(self, label: str, **versions: str) -> None:
        self._secrets.update_secret_version_stage(
            SecretId=self._secret_id, VersionStage=label, **versions
        )
