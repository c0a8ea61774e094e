"""Secrets that are seeded in this process, with the credentials of a seeder's role.

The handler is the one that is deployed; between two of its calls a test does what a rival does.
"""

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest

import seed
from infra.policies.iam import seed_secrets
from local.aws import EmbeddedAws
from tests.local.rotation_support import REGION, Crash, Watched, role

Value = dict[str, Any]


class Before:
    """Lets something happen right before the n-th call of a client, as `Watched` counts them."""

    def __init__(self, call: int, act: Callable[[], object]) -> None:
        self._left, self._act = call, act

    @property
    def happened(self) -> bool:
        return self._left <= 0

    def __call__(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            self._act()
        return call(*arguments, **options)


class End:
    """The end of the function's process at the n-th call, without or with its effect.

    No later call gets through: what a `finally` would clean up stays as it is.
    """

    def __init__(self, call: int, *, after: bool) -> None:
        self._left, self._after = call, after

    def __call__(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left > 0:
            return call(*arguments, **options)
        if self._left == 0 and self._after:
            call(*arguments, **options)
        raise Crash


def undisturbed(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    return call(*arguments, **options)


class Seeding:
    """The seeder's handler, and the secrets that its role may write."""

    def __init__(self, aws: EmbeddedAws, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.secrets = aws.client("secretsmanager", REGION)
        pattern = f"arn:aws:secretsmanager:{REGION}:{aws.account_id}:secret:{prefix}-*"
        key = f"arn:aws:kms:{REGION}:{aws.account_id}:key/of-no-secret-here"
        arn = role(
            aws,
            {"AWS": f"arn:aws:iam::{aws.account_id}:root"},
            *seed_secrets([pattern], key)["Statement"],
        )
        session = aws.client("sts", REGION).assume_role(RoleArn=arn, RoleSessionName="seeder")
        self._client = aws.client_as("secretsmanager", REGION, session["Credentials"])
        self._prefix, self._monkeypatch = prefix, monkeypatch
        self.watch(undisturbed)

    def watch(self, calls: Callable[..., Any]) -> None:
        """Let every call of AWS go through `calls`."""
        watched = Watched(calls, self._client)
        self._monkeypatch.setattr(boto3, "client", lambda _, **__: watched)

    def secret(self, value: Value | str | None = None) -> "Seeded":
        """Make a secret, with a value unless that is None."""
        text = value if isinstance(value, str | None) else json.dumps(value)
        given = {} if text is None else {"SecretString": text}
        name = f"{self._prefix}-{uuid.uuid4().hex[:12]}"
        return Seeded(self.secrets, self.secrets.create_secret(Name=name, **given)["ARN"])


class Seeded:
    """One secret."""

    def __init__(self, secrets: Any, arn: str) -> None:
        self.secrets, self.arn = secrets, arn

    def seed(
        self, fields: Value | None = None, generate: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        event = {"SecretId": self.arn, "Fields": fields or {}, "Generate": generate or {}}
        return seed.lambda_handler(event, None)

    def text(self) -> str:
        return str(self.secrets.get_secret_value(SecretId=self.arn)["SecretString"])

    def value(self) -> Value:
        held: Value = json.loads(self.text())
        return held

    def put(self, value: Value, **version: Any) -> str:
        put = self.secrets.put_secret_value(
            SecretId=self.arn, SecretString=json.dumps(value), **version
        )
        return str(put["VersionId"])

    def labels(self) -> dict[str, list[str]]:
        """Return the labels of each version that has any."""
        described = self.secrets.describe_secret(SecretId=self.arn)
        labels: dict[str, list[str]] = described.get("VersionIdsToStages", {})
        return labels

    def version(self, label: str) -> str | None:
        return next((each for each, labels in self.labels().items() if label in labels), None)

    def move(self, label: str, **versions: str | None) -> None:
        given = {name: version for name, version in versions.items() if version is not None}
        self.secrets.update_secret_version_stage(SecretId=self.arn, VersionStage=label, **given)

    def begin_rotation(self, function_arn: str) -> str:
        """Let Secrets Manager make a version that is pending and has no value; return its id."""
        token = str(uuid.uuid4())
        self.secrets.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=function_arn,
            RotationRules={"AutomaticallyAfterDays": 1},
            ClientRequestToken=token,
        )
        return token


@pytest.fixture(scope="module")
def seeded_prefix() -> str:
    """What the names of all secrets here begin with."""
    return f"seeded-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def seeding(aws: EmbeddedAws, seeded_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Seeding:
    return Seeding(aws, seeded_prefix, monkeypatch)
