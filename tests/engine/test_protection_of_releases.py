"""A stack of an earlier release under this program, by Pulumi's engine."""

import tarfile
from pathlib import Path

import pytest

from local.aws import EmbeddedAws
from local.engines.pulumi_cli import Cli
from tests.engine.cli import needs_cli
from tests.engine.conftest import CANARY, Stack, refusal
from tests.engine.test_releases import ARCHIVES
from tests.engine.upgrade.pasting import paste
from tests.recording import ROOT

pytestmark = [pytest.mark.exhaustive, needs_cli]

LACKS = (
    *("rotation.config", "rotation.database", "configValues.config", "configParameters.secure"),
    *("telemetry", "logRetention", "reservedConcurrency", "monitoring", "alarmSubscribers"),
    *("auditLogRetention", "resourcePolicy"),
)
PROTECTED = {
    "aws:kms:Key": ["environment-key", "replica-us-west-2-key", "audit-key"],
    "aws:s3:Bucket": ["audit-bucket"],
    "aws:cloudwatch:LogGroup": ["audit-logs"],
    "aws:ssm:Parameter": ["parameters-plain", "parameters-secure"],
    "aws:secretsmanager:Secret": ["config-secret", "database-secret", "made-secret"],
}


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_protection_comes_to_a_stack_of_a_release_as_no_change_of_a_resource(
    archive: Path,
    pulumi: Cli,
    programs: int,
    account: tuple[EmbeddedAws, int],
    tmp_path: Path,
) -> None:
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "release", filter="data")
    (root,) = (tmp_path / "release").iterdir()
    aws, port = account
    (tmp_path / "stack").mkdir()
    stack = Stack(pulumi, aws, {"python": programs, "aws": port}, tmp_path / "stack", root)
    secure = {"type": "SecureString"}
    stack.write(
        {"config": CANARY, "parameters/secure": CANARY},
        protection="strict",
        exemptions=dict.fromkeys(LACKS, "A reason that somebody wrote down."),
        secrets={
            "config": {"from": "config"},
            "made": {"generate": {"key": {}}, "rotation": {"strategy": "random"}},
        },
        parameters={
            "plain": {"value": "v"},
            "secure": {**secure, "from": "config"},
            "made": secure,
        },
        replicaRegions=["us-west-2"],
        audit={"trail": "own"},
    )
    stack.up()
    before = (stack.text("config"), stack.text("made"), stack.value("secure"), stack.value("made"))
    stack.use(ROOT)
    paste(stack.work / f"Pulumi.{stack.name}.yaml", refusal(stack.preview))
    planned = stack.preview()
    for type_, names in PROTECTED.items():
        for name in names:
            assert f"    {type_} {name}  [diff: ~protect]\n" in planned
    assert planned.count("~protect") == sum(map(len, PROTECTED.values()))
    stack.up()
    after = (stack.text("config"), stack.text("made"), stack.value("secure"), stack.value("made"))
    assert after == before
    stack.run("pulumi preview --expect-no-changes")
