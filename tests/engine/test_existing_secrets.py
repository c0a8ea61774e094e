"""Secrets that exist already, under Pulumi's own engine: no deployment touches them."""

import pytest

from local.aws import EmbeddedAws
from tests.engine.conftest import REGION, Stack
from tests.local.test_existing_secrets import make


@pytest.mark.exhaustive
def test_no_deployment_changes_an_existing_secret(
    stack: Stack, account: tuple[EmbeddedAws, int]
) -> None:
    aws, _ = account
    existing = {
        "own-key": make(aws, f"{stack.name}/own-key", own_key=True),
        "customer-key": make(aws, f"{stack.name}/customer-key"),
    }
    before = {name: each.state() for name, each in existing.items()}

    def unchanged() -> bool:
        return {name: each.state() for name, each in existing.items()} == before

    secrets = {name: each.settings for name, each in existing.items()}
    one, both = ["database", "own-key"], ["database", *existing]
    stack.write({}, secrets=secrets, function={"secrets": both})
    stack.up()
    assert unchanged()
    role = stack.run("pulumi stack output role_arn").strip().rpartition("/")[2]
    assert readable(aws, role) == {each.arn for each in existing.values()}

    # One that the function no longer lists, and then none that the config has.
    stack.write({}, secrets=secrets, function={"secrets": one}, tags={"team": "a"})
    stack.up()
    assert readable(aws, role) == {existing["own-key"].arn}
    assert unchanged()
    stack.write({}, function={"secrets": ["database"]}, tags={"team": "a"})
    stack.up()
    assert unchanged()
    stack.write({}, secrets=secrets, function={"secrets": both})
    stack.up()
    stack.run("pulumi destroy")
    assert unchanged()
    assert not stack.urns()


def readable(aws: EmbeddedAws, role: str) -> set[str]:
    """Find the ARNs of the existing secrets that a role may read."""
    iam, found = aws.client("iam", REGION), set()
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in document["Statement"]:
            if statement["Sid"] == "ReadExistingSecrets":
                found |= {*statement["Resource"]}
    return found
