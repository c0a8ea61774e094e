"""`aws:allowedAccountIds`: credentials of another account are refused before anything is read."""

import pytest

from tests.engine.cli import needs_cli
from tests.engine.conftest import Stack, refusal

pytestmark = [pytest.mark.exhaustive, needs_cli]


def allow(stack: Stack, account: str) -> None:
    stack.run(f"pulumi config set --path 'aws:allowedAccountIds[0]' --type string {account}")


def test_another_accounts_credentials_are_refused_at_preview_and_deploy_nothing(
    stack: Stack,
) -> None:
    stack.write({})
    allow(stack, "210987654321")
    for told in (refusal(stack.preview), refusal(stack.up)):
        line = (
            "must list the account of the deployer's credentials, 123456789012, got 210987654321"
        )
        assert line in " ".join(told.split())
    assert not [urn for urn in stack.urns() if "::aws:" in urn or "$aws:" in urn]
    allow(stack, "123456789012")
    stack.up()
