"""A secret from config, encrypted by a passphrase, then by a KMS key, with the CLI's providers."""

import pytest

from local.aws import EmbeddedAws
from tests.engine.cli import needs_cli
from tests.engine.conftest import CANARY, REGION, Stack, refusal
from tests.recording import EXEMPTION

pytestmark = [pytest.mark.exhaustive, needs_cli]


def test_a_kms_key_takes_the_place_of_a_passphrase(
    stack: Stack, account: tuple[EmbeddedAws, int]
) -> None:
    aws, _ = account
    stack.write(
        {"x": CANARY},
        secrets={"x": {"from": "config"}},
        protection="strict",
        exemptions=dict.fromkeys(("rotation.x", "configValues.x"), EXEMPTION),
    )
    told = refusal(stack.preview)
    assert "secretValues must be encrypted by a key of a cloud service" in told
    key = aws.client("kms", REGION).create_key()["KeyMetadata"]["KeyId"]
    stack.run(f"pulumi stack change-secrets-provider 'awskms://{key}?region={REGION}'")
    told = refusal(stack.preview)
    assert "secretValues must be encrypted" not in told
    assert stack.run("pulumi config get --path 'secretValues[\"x\"]'").strip() == CANARY
