"""IAM refuses what AWS refuses, in AWS's words."""

import json
from typing import Any

import pytest

from local.aws import EmbeddedAws
from tests.local.reference import REGION, Refusal, assert_refused

ROLES = "localstack iam/test_iam_roles.py::"
TRUST_ERRORS = f"{ROLES}TestRoleLifecycle::test_update_assume_role_policy_errors"
GRAMMAR = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"
PRINCIPALS = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
)
MALFORMED = "MalformedPolicyDocument"
LAMBDA = {"Service": "lambda.amazonaws.com"}
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": LAMBDA}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def trust(policy: str, message: str | None, source: str) -> list[Refusal]:
    """Return the refusals of a trust policy, by both operations that take one."""
    created = {"RoleName": "<name>-new", "AssumeRolePolicyDocument": policy}
    updated = {"RoleName": "<name>", "PolicyDocument": policy}
    return [
        Refusal("CreateRole", created, MALFORMED, message, source),
        Refusal("UpdateAssumeRolePolicy", updated, MALFORMED, message, source),
    ]


def identity(policy: str) -> list[Refusal]:
    """Return the refusals of a policy, inline and managed."""
    inline = {"RoleName": "<name>", "PolicyName": "p", "PolicyDocument": policy}
    managed = {"PolicyName": "<name>-p", "PolicyDocument": policy}
    return [
        Refusal("PutRolePolicy", inline, MALFORMED, None, GRAMMAR),
        Refusal("CreatePolicy", managed, MALFORMED, None, GRAMMAR),
    ]


REFUSALS = [
    *trust("not json", "This policy contains invalid Json", TRUST_ERRORS),
    *trust(
        document(TRUST | {"Action": "s3:GetObject"}),
        "AssumeRole policy may only specify STS AssumeRole actions.",
        TRUST_ERRORS,
    ),
    *trust(document(TRUST | {"Resource": "*"}), "Has prohibited field Resource", TRUST_ERRORS),
    *trust(
        document(TRUST | {"Principal": {"AWS": "arn:aws:iam::<owner>:role/missing"}}),
        None,
        PRINCIPALS,
    ),
    *trust(document(TRUST | {"Principal": {"Service": "nope"}}), None, PRINCIPALS),
    *trust(document({"Effect": "Allow", "Action": "sts:AssumeRole"}), None, GRAMMAR),
    *identity("not json"),
    *identity(document({"Effect": "Allow", "Resource": "*"})),
    *identity(document(ALLOW | {"Effect": "Perhaps"})),
    *identity(document(ALLOW | {"Principal": "*"})),
    *identity(document(ALLOW | {"Resource": "bucket"})),
    *identity(document(ALLOW | {"Action": "GetObject"})),
    *identity(document(ALLOW | {"Sid": "a"}, ALLOW | {"Sid": "a"})),
    *identity(document(ALLOW | {"Sid": "a-b"})),
    *identity(document(ALLOW | {"Condition": {"Foo": {"aws:username": "a"}}})),
    *identity(document(ALLOW | {"Unknown": "element"})),
    Refusal(
        "AttachRolePolicy",
        {"RoleName": "<name>", "PolicyArn": "arn:aws:iam::aws:policy/NoSuchPolicy"},
        "NoSuchEntity",
        "Policy arn:aws:iam::aws:policy/NoSuchPolicy does not exist or is not attachable.",
        f"{ROLES}TestRoleManagedPolicies::test_role_managed_policy_errors",
        404,
    ),
    *(
        Refusal(
            operation,
            {"RoleName": "test-nonexistent-role"},
            "NoSuchEntity",
            "The role with name test-nonexistent-role cannot be found.",
            f"{ROLES}TestRoleLifecycle::test_role_errors",
            404,
        )
        for operation in ("GetRole", "UpdateRole", "DeleteRole")
    ),
    Refusal(
        "PutRolePolicy",
        {"RoleName": "missing", "PolicyName": "p", "PolicyDocument": "not json"},
        "NoSuchEntity",
        None,
        "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html",
        404,
    ),
]


@pytest.fixture(scope="module")
def role(aws: EmbeddedAws) -> str:
    name = "role-of-the-answers"
    aws.client("iam", REGION).create_role(RoleName=name, AssumeRolePolicyDocument=document(TRUST))
    return name


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=[f"{n}-{each.operation}" for n, each in enumerate(REFUSALS)]
)
def test_iam_refuses_as_recorded(aws: EmbeddedAws, role: str, refusal: Refusal) -> None:
    assert_refused(aws, "iam", refusal, name=role, owner=aws.account_id)


def test_a_policy_of_every_element_is_taken(aws: EmbeddedAws, role: str) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
    iam = aws.client("iam", REGION)
    statements: list[dict[str, Any]] = [
        ALLOW | {"Sid": "One", "Action": ["s3:Get*", "ec2:Describe?ags", "*"]},
        {"Effect": "Deny", "NotAction": "iam:*", "NotResource": f"arn:aws:iam::{'1' * 12}:role/*"},
        ALLOW | {"Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*"]}}},
        ALLOW | {"Condition": {"Null": {"aws:TokenIssueTime": "true"}, "bool": {"a:b": "true"}}},
    ]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(*statements))
    own = iam.get_role(RoleName=role)["Role"]["Arn"]
    principals: list[dict[str, Any]] = [
        LAMBDA,
        {"AWS": [own, aws.account_id]},
        {"Federated": "arn:aws:iam::1:saml-p/x"},
    ]
    trusts: list[dict[str, Any]] = [TRUST | {"Principal": each} for each in principals]
    trusts[2]["Action"] = ["sts:AssumeRoleWithSAML", "sts:TagSession"]
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=document(*trusts))


def test_a_role_without_a_description_has_none_in_its_answer(aws: EmbeddedAws, role: str) -> None:
    # test_iam_roles.py::TestRoleLifecycle::test_create_role_defaults
    assert "Description" not in aws.client("iam", REGION).get_role(RoleName=role)["Role"]
