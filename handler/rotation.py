"""Rotates a secret: a small function for each of the four steps that Secrets Manager calls.

Every step may be repeated, run twice at the same time, and resumed after a crash at any point.
This module handles versions and staging labels; the engine of the strategy creates the next value
and makes it valid where it is used.

Environment variables:
    STRATEGY: `random`, `singleUser` or `alternatingUsers`.
    SECRET_ARN: the secret; no other is rotated. Without it, the file `rotated.json` has the full
        names of the secrets, each with `generate` and `overlapSeconds` in place of the next two.
    GENERATE: JSON, field -> arguments of GetRandomPassword under a stack file's names, such as
        `length`, or under AWS's, which the previous release wrote: a rollback changes the
        variables some seconds before the code.
    OVERLAP_SECONDS: with `random`, how long the previous value stays in the secret; 0 for never.
    ADMIN_SECRET_ARN: with `alternatingUsers`, the secret that creates and alters users.
    CA_BUNDLE: with PostgreSQL, the file in the package that TLS is verified against.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import secret_json
from rotation_engine import Abandoned, Engine, Refused, RotationError, Value

# How many versions to try: 20 can have labels, and Secrets Manager keeps about a hundred.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
_KNOWN_VERSIONS = 30
# A call fails, with its reason, before the function times out.
_CONFIG = Config(
    connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"}
)
_ROTATED = Path(__file__).with_name("rotated.json")
_REMEDY = (  # for errors that leave AWSPENDING on its version
    "fix this, then find out which password the server accepts, if the secret has one. If it"
    " accepts AWSCURRENT's, remove the AWSPENDING label and rotate again. If it accepts only"
    " AWSPENDING's, move AWSCURRENT to that version (docs/operations.md, A stuck AWSPENDING)"
)


def lambda_handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001 (Lambda's signature)
    """Take one step of a rotation.

    Args:
        event: `Step`, `SecretId` (an ARN) and `ClientRequestToken`, the pending version.
        context: passed by Lambda.

    Raises:
        RotationError: the step failed; the text says what an operator must do.
        ClientError: Secrets Manager rejected a call; the text is AWS's and has no secret value.

    """
    step, arn, token = event["Step"], event["SecretId"], event["ClientRequestToken"]
    begun = {"level": "INFO", "step": step, "secret": arn, "version": token}
    print(json.dumps(begun))  # noqa: T201 (Lambda's log; after a timeout, the only trace of the step)
    if step not in _STEPS:
        raise RotationError(f"unknown rotation step {step!r}; steps are {', '.join(_STEPS)}")
    rotated = _rotated(arn)
    client = boto3.client("secretsmanager", config=_CONFIG)
    secret = _Secret(client, arn, token, rotated.rules)
    if not secret.is_due():
        return
    try:
        _STEPS[step](secret, _engine(secret, rotated.overlap_seconds))
    except Abandoned:
        raise
    except RotationError as error:
        raise RotationError(f"{error}; {_REMEDY}") from None


class _Rotated(NamedTuple):
    """How a secret is rotated."""

    rules: dict[str, dict[str, Any]]
    """Fields that are generated -> arguments of GetRandomPassword."""
    overlap_seconds: int


def _rotated(arn: str) -> _Rotated:
    """Return how a secret is rotated, if it is one of this function's."""
    only = os.environ.get("SECRET_ARN")
    if only is None:
        group = json.loads(_ROTATED.read_text(encoding="utf-8"))
        only = ", ".join(group)
        # Secrets Manager appends seven characters. The role may use no other secret of this name.
        found = group.get(arn.partition(":secret:")[2][:-7])
    else:
        found = _own() if arn == only else None
    if found is None:
        raise RotationError(
            f"this function rotates only {only}, not {arn}; set that secret's rotation function to"
            " its own (`pulumi up` does)"
        )
    rules = {field: _request(each) for field, each in found["generate"].items()}
    return _Rotated(rules, found["overlapSeconds"])


def _own() -> dict[str, Any]:
    return {
        "generate": json.loads(os.environ["GENERATE"]),
        "overlapSeconds": int(os.environ["OVERLAP_SECONDS"]),
    }


# --- the steps -----------------------------------------------------------------------------------


def _create_secret(secret: "_Secret", engine: Engine) -> None:
    if secret.pending() is None:
        current = secret.current()
        following = engine.next_value(current.value, secret.make_texts())
        secret.put_pending(following, current.text)


def _set_secret(secret: "_Secret", engine: Engine) -> None:
    pending, _ = _pending_that_follows_current(secret, engine)
    engine.set(pending)


def _test_secret(secret: "_Secret", engine: Engine) -> None:
    # Without rotateImmediately, Secrets Manager calls only this step, and there is no new value.
    engine.test(secret.pending() or secret.current().value)


def _finish_secret(secret: "_Secret", engine: Engine) -> None:
    pending, version = _pending_that_follows_current(secret, engine)
    engine.test(pending)  # even if the previous steps were not called
    try:
        secret.move("AWSCURRENT", RemoveFromVersionId=version, MoveToVersionId=secret.token)
    except ClientError:
        if secret.is_due():  # otherwise a repeated call has already moved it
            raise


_STEPS: dict[str, Callable[["_Secret", Engine], None]] = {
    "createSecret": _create_secret,
    "setSecret": _set_secret,
    "testSecret": _test_secret,
    "finishSecret": _finish_secret,
}


def _pending_that_follows_current(secret: "_Secret", engine: Engine) -> tuple[Value, str]:
    """Return the pending value, and the current version that it replaces.

    If AWSCURRENT was changed by hand, or the rotation took too long, the pending value no longer
    follows from it. The rotation is then abandoned, unless only the pending value works.
    """
    pending, (version, _, current) = secret.pending(), secret.current()
    if pending is None:
        raise RotationError(
            f"{secret.arn}: the value of the pending version is missing or is not a JSON object"
        )
    is_current = version == secret.token  # a repeated call has already finished
    if is_current or engine.follows(pending, current):
        return pending, version
    if _works(engine, pending) and not _works(engine, current):
        return pending, version
    secret.move("AWSPENDING", RemoveFromVersionId=secret.token)
    raise Abandoned(
        f"{secret.arn}: AWSCURRENT was changed during the rotation, or the rotation took too long;"
        " AWSCURRENT is unchanged and AWSPENDING was removed, so rotate the secret again"
    )


def _works(engine: Engine, value: Value) -> bool:
    try:
        engine.test(value)
    except Refused:
        return False
    return True


# --- the secret ----------------------------------------------------------------------------------


class _Current(NamedTuple):
    """The current version."""

    version: str
    text: str
    value: Value
    """The text, parsed."""


class _Secret:
    """The secret, its versions, and the version that the token names."""

    def __init__(
        self, client: Any, arn: str, token: str, rules: dict[str, dict[str, Any]]
    ) -> None:
        self.arn, self.token, self.rules = arn, token, rules
        self._client = client

    def is_due(self) -> bool:
        """Check the staging labels; False if the token's version is already current."""
        described = self._client.describe_secret(SecretId=self.arn)
        if not described.get("RotationEnabled"):
            raise RotationError(f"{self.arn}: rotation is not enabled; configure it first")
        stages = described.get("VersionIdsToStages", {}).get(self.token, ())
        if not {"AWSCURRENT", "AWSPENDING"} & set(stages):
            raise RotationError(
                f"{self.arn}: version {self.token} is not AWSPENDING; its rotation has ended or"
                " was abandoned, so rotate the secret again"
            )
        return "AWSCURRENT" not in stages

    def pending(self) -> Value | None:
        """Return the value of the token's version; None if it has none yet."""
        return self._value(self.arn, VersionId=self.token)

    def current(self, arn: str = "") -> "_Current":
        """Return the current version of this secret or of another."""
        version, text = self._read(arn or self.arn, VersionStage="AWSCURRENT")
        value = secret_json.parse(text)
        if value is None:
            reason = "its value is not a JSON object, or is nested too deeply"
            raise RotationError(
                f"{arn or self.arn}: {reason if version else 'it has no value'}; put a JSON object"
            )
        return _Current(version, text, value)

    def current_and(self, stage: str, arn: str = "") -> Iterator[Value]:
        """Yield the current value and, if any, that of another stage: one of the two works."""
        yield self.current(arn).value
        other = self._value(arn or self.arn, VersionStage=stage)
        if other is not None:
            yield other

    def known(self) -> Iterator[Value]:
        """Yield all known values of the secret, those with staging labels first.

        A value put by hand during a rotation removes AWSPENDING from a version that may be valid.
        """
        asked = {"SecretId": self.arn, "IncludeDeprecated": True, "MaxResults": 100}
        listed, page = [], {"NextToken": ""}
        while "NextToken" in page:  # boto3 has no paginator for this call
            page = self._client.list_secret_version_ids(**asked)
            listed += page["Versions"]
            asked["NextToken"] = page.get("NextToken")
        listed.sort(key=lambda each: (bool(each.get("VersionStages")), each["CreatedDate"]))
        for version in reversed(listed[-_KNOWN_VERSIONS:]):
            value = self._value(self.arn, VersionId=version["VersionId"])
            if value is not None:
                yield value

    def make_texts(self) -> dict[str, str]:
        """Generate a new text for each field, by the same rules as the initial one."""
        make = self._client.get_random_password
        return {field: make(**rules)["RandomPassword"] for field, rules in self.rules.items()}

    def put_pending(self, value: Value, original: str) -> None:
        """Write the value of the token's version, unless a repeated call has done so.

        `original` is the text that the value was derived from.
        """
        try:
            text = secret_json.rewrite(value, original)
        except secret_json.Lossy as error:
            raise RotationError(f"{self.arn}: {error}") from None
        try:
            self._client.put_secret_value(
                SecretId=self.arn,
                ClientRequestToken=self.token,
                SecretString=text,
                VersionStages=["AWSPENDING"],
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]  # the message may quote the value
        else:
            return
        if code != "ResourceExistsException":
            raise RotationError(f"{self.arn}: PutSecretValue failed with {code}")

    def move(self, stage: str, **versions: str) -> None:
        """Move a staging label, or remove it."""
        self._client.update_secret_version_stage(SecretId=self.arn, VersionStage=stage, **versions)

    def _read(self, arn: str, **version: str) -> tuple[str, str]:
        """Return version and text; both are empty if there is no value."""
        try:
            answer = self._client.get_secret_value(SecretId=arn, **version)
        except self._client.exceptions.ResourceNotFoundException:
            return "", ""
        return answer["VersionId"], answer.get("SecretString", "")

    def _value(self, arn: str, **version: str) -> Value | None:
        """Return a value; None if it is missing or is not a JSON object."""
        return secret_json.parse(self._read(arn, **version)[1])


def _request(rules: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of GetRandomPassword; AWS's own names stay as they are."""
    return {
        "PasswordLength" if word == "length" else word[0].upper() + word[1:]: given
        for word, given in rules.items()
    }


def _engine(secret: _Secret, overlap_seconds: int) -> Engine:
    """Create the engine of the strategy; the package has only the modules of that engine."""
    strategy, fields = os.environ["STRATEGY"], frozenset(secret.rules)
    if strategy == "random":
        from rotation_random import Random

        return Random(fields, overlap_seconds)
    from rotation_postgres import AlternatingUsers, SingleUser

    if strategy == "singleUser":
        return SingleUser(fields, secret.known)
    admin_arn = os.environ["ADMIN_SECRET_ARN"]
    return AlternatingUsers(
        secret.arn,
        fields,
        lambda: secret.current_and("AWSPREVIOUS"),
        lambda: secret.current_and(
            "AWSPENDING", admin_arn
        ),  # the admin secret may be rotating too
    )
