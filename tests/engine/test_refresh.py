"""What `pulumi refresh` finds after a first deployment, by Pulumi's engine.

AWS tells of a resource also what others of the stack set of it, such as a role's policies. The
first refresh records that. It is in outputs only, so no drift is shown, and `up` does nothing.
"""

from typing import Any

import pytest
import yaml

from local import networks
from local.aws import ADMIN_ARN, EmbeddedAws
from local.config.project import load
from tests.engine.cli import needs_cli
from tests.engine.conftest import CommandError, Stack
from tests.recording import PROJECT, ROOT

pytestmark = [pytest.mark.exhaustive, needs_cli]

CHANGED = {
    "aws:ec2/securityGroup:SecurityGroup": {"egress", "ingress"},
    "aws:iam/policy:Policy": {"attachmentCount"},
    "aws:iam/role:Role": {"inlinePolicies", "managedPolicyArns"},
    "aws:s3/bucket:Bucket": {
        *("lifecycleRules", "policy", "serverSideEncryptionConfiguration", "versioning"),
    },
    "aws:secretsmanager/secret:Secret": {"policy"},
    "aws:sns/topic:Topic": {"policy"},
}
"""Type -> outputs that others of the stack set."""
EVERYTHING: dict[str, Any] = {
    "aws:region": "us-east-1",
    "audit": {"trail": "own"},
    "function": {"telemetry": True},
    "monitoring": {
        "enabled": True,
        "subscriptions": [{"protocol": "email", "endpoint": "ops@example.com"}],
    },
    "parameters": {"level": {"value": "info"}},
    "replicaRegions": ["us-west-2"],
    "resourcePolicy": {"enabled": True, "administrators": [ADMIN_ARN]},
    "secrets": {"database": {"generate": {"key": {}}, "rotation": {"strategy": "random"}}},
}


@pytest.fixture
def deployed(stack: Stack, account: tuple[EmbeddedAws, int]) -> Stack:
    """Deploy a stack that has something of every kind."""
    network = networks.with_local_vpc(load(ROOT, "prod"), account[0]).section("network")
    config = {
        key if ":" in key else f"{PROJECT}:{key}": value
        for key, value in (EVERYTHING | {"network": network}).items()
    }
    stack.run(f"cat >> Pulumi.{stack.name}.yaml", yaml.safe_dump({"config": config}))
    stack.up()
    return stack


def properties(stack: Stack, part: str) -> dict[str, dict[str, Any]]:
    """Read inputs or outputs of every resource, by URN; of code, its hash."""
    found = {}
    for each in stack.state()["deployment"]["resources"]:
        kept = each.get(part, {})
        code = {key: value["hash"] for key, value in kept.items() if key == "code"}
        # Encrypted again, a value has another text.
        secret = {
            key: "secret"
            for key, value in kept.items()
            if isinstance(value, dict) and "ciphertext" in value
        }
        found[each["urn"]] = {"type": each["type"], **kept, **code, **secret}
    return found


def test_the_first_refresh_shows_no_drift_and_changes_outputs_only(deployed: Stack) -> None:
    inputs, before = properties(deployed, "inputs"), properties(deployed, "outputs")
    deployed.run("pulumi refresh --skip-preview --expect-no-changes")
    assert properties(deployed, "inputs") == inputs
    changed: dict[str, set[str]] = {}
    for urn, outputs in properties(deployed, "outputs").items():
        if keys := {key for key, value in outputs.items() if value != before[urn].get(key)}:
            changed.setdefault(outputs["type"], set()).update(keys)
    assert changed == CHANGED
    deployed.run("pulumi up --skip-preview --expect-no-changes")
    deployed.ssm.put_parameter(Name=f"/{PROJECT}/{deployed.name}/level", Value="x", Overwrite=True)
    with pytest.raises(CommandError, match="no changes were expected for refresh"):
        deployed.run("pulumi refresh --skip-preview --expect-no-changes")
