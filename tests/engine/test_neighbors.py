"""A stack whose names another environment has is refused before anything is made."""

from pathlib import Path

import pytest

from infra.names import Names
from local.aws import EmbeddedAws
from local.engines.pulumi_cli import Cli
from tests.engine.cli import needs_cli
from tests.engine.conftest import REGION, Stack, refusal
from tests.recording import PROJECT

pytestmark = [pytest.mark.exhaustive, needs_cli]


def test_the_same_name_from_another_state_is_refused(
    pulumi: Cli, programs: int, account: tuple[EmbeddedAws, int], tmp_path: Path
) -> None:
    aws, port = account
    ports = {"python": programs, "aws": port}
    (first, second) = (
        Stack(pulumi, aws, ports, _folder(tmp_path / name)) for name in ("first", "second")
    )
    second.run(f"pulumi stack rename {first.name}")
    second.name = first.name
    first.write({})
    first.up()
    arn = first.run("pulumi stack output key_arn").strip()
    second.write({})
    told = f"alias/{PROJECT}/{first.name} already exists in {REGION}, for {arn}"
    assert told in second.preview()
    assert told in refusal(second.up)
    assert not [urn for urn in second.urns() if "$aws:" in urn]
    first.run("pulumi up --skip-preview --expect-no-changes")


def test_names_that_differ_in_a_hyphen_only_are_refused(
    stack: Stack, account: tuple[EmbeddedAws, int]
) -> None:
    aws, _ = account
    kms = aws.client("kms", REGION)
    *_, other = Names(PROJECT, stack.name).namesakes
    kms.create_alias(
        AliasName=other.key_alias, TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"]
    )
    stack.write({})
    told = f"{other.key_alias} exists in {REGION}, for arn:aws:kms:"
    assert told in refusal(stack.preview)
    assert told in refusal(stack.up)
    assert not [urn for urn in stack.urns() if "$aws:" in urn]
    kms.delete_alias(AliasName=other.key_alias)
    stack.up()


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
