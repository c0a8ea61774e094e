"""One embedded AWS for all tests here, and what makes roles and functions in it.

A statement is written without what most have: `Effect` Allow and `Resource` `*` are filled in.
"""

import io
import json
import re
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from local.account import AwsAccount
from local.aws import EmbeddedAws
from local.databases.postgres import PostgreSQL

REGION = "us-east-1"

Statement = dict[str, Any]
Make = Callable[..., Any]


@pytest.fixture(scope="session")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as embedded:
        yield embedded


@pytest.fixture
def unique() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def policy() -> Make:
    """Return the function that makes a policy document, in JSON, of statements."""

    def make(*statements: Statement) -> str:
        filled = [{"Effect": "Allow", "Resource": "*"} | statement for statement in statements]
        return json.dumps({"Version": "2012-10-17", "Statement": filled})

    return make


@pytest.fixture
def make_role(aws: EmbeddedAws, policy: Make) -> Make:
    """Return the function that makes a role with these statements; it returns the ARN."""

    def make(
        *statements: Statement, principal: Statement | None = None, account: AwsAccount = aws
    ) -> str:
        iam, name = account.client("iam", REGION), f"role-{uuid.uuid4().hex[:12]}"
        trust = {
            "Effect": "Allow",
            "Principal": principal or {"AWS": f"arn:aws:iam::{account.account_id}:root"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
        if statements:
            iam.put_role_policy(
                RoleName=name, PolicyName="policy", PolicyDocument=policy(*statements)
            )
        return str(role["Arn"])

    return make


@pytest.fixture
def client_of(aws: EmbeddedAws) -> Make:
    """Return the function that assumes a role and returns a boto3 client of its session.

    The administrator of the role's account assumes it.
    """

    def make(service: str, role_arn: str, region: str = REGION) -> object:
        account = aws.account(role_arn.split(":")[4])
        session = account.client("sts", region).assume_role(
            RoleArn=role_arn, RoleSessionName="test"
        )
        return account.client_as(service, region, session["Credentials"])

    return make


@pytest.fixture
def make_function(aws: EmbeddedAws, make_role: Make) -> Make:
    """Return the function that makes a Lambda function of a handler; it returns the name.

    Its role has the statements; `options` go to CreateFunction.
    """

    def make(
        source: str,
        *statements: Statement,
        file: str = "app.py",
        account: AwsAccount = aws,
        **options: object,
    ) -> str:
        functions, name = account.client("lambda", REGION), f"function-{uuid.uuid4().hex[:12]}"
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(file, source)
        given = {
            "FunctionName": name,
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Code": {"ZipFile": content.getvalue()},
            "Timeout": 60,
        } | options
        if "Role" not in given:
            given["Role"] = make_role(
                *statements, principal={"Service": "lambda.amazonaws.com"}, account=account
            )
        functions.create_function(**given)
        while functions.get_function_configuration(FunctionName=name)["State"] == "Pending":
            time.sleep(0.02)
        return name

    return make


@pytest.fixture
def invoke(aws: EmbeddedAws) -> Make:
    """Return the function that invokes a function and returns its result, or its error."""

    def call(name: str, event: object = None, account: AwsAccount = aws) -> object:
        response = account.client("lambda", REGION).invoke(
            FunctionName=name, Payload=json.dumps(event)
        )
        with response["Payload"] as payload:
            return json.loads(payload.read())

    return call


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """One PostgreSQL for all; a test makes roles of its own names in it."""
    with PostgreSQL() as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the servers that the conformance suite of rotation ran on."""
    passed = (report.nodeid for report in terminalreporter.getreports("passed"))
    names = {found[0] for each in passed if (found := re.search(r"PostgreSQL [\d.]+", each))}
    if names:
        terminalreporter.write_line(f"rotation ran on {', '.join(sorted(names))}")
