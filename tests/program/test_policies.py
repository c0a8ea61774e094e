"""Every policy document of production, read by a linter that knows AWS's actions and conditions.

What it finds and is kept stands here with the reason; nothing else may be found.
"""

import gc
import importlib.util
import json
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.engines.built_in import Registration
from tests.recording import planned

# Which document -> what is found there and kept, with the reason.
KEPT = {
    "aws:iam/role:Role": {
        "MALFORMED": "a trust policy has no Resource; the linter reads identity policies",
    },
    "aws:kms/key:Key": {
        "RESOURCE_STAR": "in a key policy, `*` is this key",
        "UNKNOWN_CONDITION_FOR_ACTION": "CloudWatch Logs' and CloudTrail's encryption contexts",
        "MISMATCHED_TYPE": "an encryption context that holds an ARN is matched by ArnLike",
    },
    "aws:iam/rolePolicy:RolePolicy": {
        "RESOURCE_STAR": "GetRandomPassword and X-Ray know no resource; a network interface none"
        " before it is made",
    },
}


@pytest.fixture(scope="module")
def parliament() -> Iterator[types.ModuleType]:
    """Import the linter, which asks setuptools for the place of its own files."""

    def resource_filename(package: str, name: str) -> str:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        return str(Path(spec.origin).with_name(name))

    stub = types.ModuleType("pkg_resources")
    stub.resource_filename = resource_filename  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it leaves a file open
        patch.setitem(sys.modules, "pkg_resources", stub)
        module = importlib.import_module("parliament")
        gc.collect()
        yield module


def documents(made: list[Registration]) -> Iterator[tuple[Registration, str]]:
    for each in made:
        for key in ("policy", "assumeRolePolicy"):
            if isinstance(each.inputs.get(key), str):
                yield each, each.inputs[key]


def test_the_linter_finds_nothing_but_what_has_a_reason(parliament: types.ModuleType) -> None:
    found: dict[str, dict[str, set[str]]] = {}
    read = 0
    for each, document in documents(planned("prod").registrations):
        assert json.loads(document)["Statement"]
        read += 1
        for finding in parliament.analyze_policy_string(document).findings:
            found.setdefault(each.type, {}).setdefault(finding.issue, set()).add(each.name)
    assert read >= 40
    kept = {type_: set(reasons) for type_, reasons in KEPT.items()}
    assert {type_: set(issues) for type_, issues in found.items()} == kept, found


def test_the_linter_would_notice(parliament: types.ModuleType) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "secretsmanager:GetSecretValu",
            "Resource": "*",
        },
    }
    found = parliament.analyze_policy_string(json.dumps(document)).findings
    assert [finding.issue for finding in found] == ["UNKNOWN_ACTION"]
