"""Which operation a request asks for, and what the page about them says."""

import re
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from docs import emulator_operations
from local.emulator.core import operations
from local.emulator.offered import OFFERED
from local.emulator.simplified import SIMPLIFIED
from tests.recording import ROOT

FUNCTIONS = "/2015-03-31/functions"


@pytest.mark.parametrize(
    ("service", "request_line", "headers", "parameters", "operation"),
    [
        ("kms", "POST /", {"x-amz-target": "TrentService.ReEncrypt"}, {}, "ReEncrypt"),
        ("iam", "POST /", {}, {"Action": ["CreateRole"]}, "CreateRole"),
        ("cloudwatch", "POST /service/X/operation/PutMetricData", {}, {}, "PutMetricData"),
        ("lambda", f"GET {FUNCTIONS}/", {}, {}, "ListFunctions"),
        ("lambda", f"POST {FUNCTIONS}/arn%3Aaws%3Af/invocations", {}, {}, "Invoke"),
        ("lambda", f"POST {FUNCTIONS}/f/invocation", {}, {}, None),
        ("lambda", "DELETE /2017-03-31/tags/arn", {}, {"tagKeys": ["a"]}, "UntagResource"),
        ("s3", "GET /", {}, {}, "ListBuckets"),
        ("s3", "PUT /b/", {}, {}, "CreateBucket"),
        ("s3", "PUT /b", {}, {"lifecycle": [""]}, "PutBucketLifecycleConfiguration"),
        ("s3", "GET /b", {}, {"list-type": ["2"]}, "ListObjectsV2"),
        ("s3", "PUT /b/folder/key", {}, {}, "PutObject"),
        ("s3", "PUT /b/key", {"x-amz-copy-source": "b/other"}, {}, "CopyObject"),
        ("s3", "PUT /b/key", {}, {"partNumber": ["1"], "uploadId": ["u"]}, "UploadPart"),
        ("of-nobody", "GET /", {}, {}, None),
    ],
)
def test_a_request_names_its_operation(
    service: str,
    request_line: str,
    headers: dict[str, str],
    parameters: dict[str, Any],
    operation: str | None,
) -> None:
    method, path = request_line.split()
    assert operations.asked_for(service, method, path, headers, parameters) == operation


def test_the_page_says_who_patches_an_operation_and_how_close_each_is() -> None:
    rows = emulator_operations.rows()
    found = [row for row in rows if row.startswith("| `PutSecretValue` | `secretsmanager/")]
    assert any("values.py` | Refuse a value of more than 64 KiB" in row for row in found)
    assert any("labels.py` | Move the labels" in row for row in found)
    assert any(
        row.startswith("| `CancelRotateSecret` | `secretsmanager/rotation.py`") for row in rows
    )
    assert "| `CancelRotateSecret` | exact |  |" in rows
    assert "| `AssumeRole` | stock |  |" in rows
    assert any(
        row.startswith("| `RotateSecret` | simplified | keeps the schedule") for row in rows
    )
    for service, offered in OFFERED.items():
        section = rows[rows.index(f"## {service}") :]
        listed = section[section.index("|---|---|---|") + 1 :]
        names = [row.split("`")[1] for row in listed[: listed.index("")]]
        assert names == sorted(offered)


def test_only_offered_operations_are_simplified() -> None:
    for service, operations_ in SIMPLIFIED.items():
        assert operations_.keys() <= OFFERED[service]


# Commands of the AWS CLI that are no operation of their name; what they call is offered.
OF_THE_CLI = {"aws cloudtrail validate-logs", "aws lambda invoke", "aws logs tail"}


def advised(*files: Path) -> set[str]:
    """Return the commands of the AWS CLI that these files print, as `aws SERVICE OPERATION`."""
    services = {*OFFERED, "s3api"}
    found: set[str] = set()
    for file in files:
        lines = re.findall(
            r"\baws ([a-z0-9]+) ([a-z]+(?:-[a-z0-9]+)+|invoke|tail)\b", file.read_text()
        )
        found |= {f"aws {service} {name}" for service, name in lines if service in services}
    return found


def test_every_command_that_the_docs_and_errors_advise_is_offered() -> None:
    files = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("infra/**/*.py")]
    files += ROOT.glob("handler/*.py")
    commands = advised(*files)
    assert len(commands) > 30
    assert "aws cloudtrail delete-trail" in commands
    for command in commands - OF_THE_CLI:
        _, service, name = command.split()
        offered = OFFERED["s3" if service == "s3api" else service]
        assert name in {xform_name(each, "-") for each in offered}, command
