"""What a secret's resource policy says, exactly; tests/local shows what it does."""

import json
from typing import Any

import pulumi
import pytest

from infra.components.secret_policy import SecretPolicy, SecretPolicyArgs
from tests.recording import by_type, made, only

ROLE = "arn:aws:iam::123456789012:role/"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:p/s/database-AbCdEf"
ARGS: SecretPolicyArgs = {
    "secret_arn": SECRET,
    "partition": "aws",
    "account_id": "123456789012",
    "readers": [ROLE + "reader"],
    "writers": [ROLE + "seeder", ROLE + "rotation"],
    "administrators": ["arn:aws:iam::*:role/deploy"],
}
NO_SERVICE = {"aws:PrincipalIsAWSService": "false"}


def statements(args: SecretPolicyArgs) -> dict[str, dict[str, Any]]:
    registered = made(lambda: SecretPolicy("database", args))
    document = json.loads(only(registered, "secretPolicy:SecretPolicy").inputs["policy"])
    assert document["Version"] == "2012-10-17"
    return {each["Sid"]: each for each in document["Statement"]}


def test_the_policy_is_put_on_the_secret_and_may_not_be_public() -> None:
    registered = made(lambda: SecretPolicy("database", ARGS))
    inputs = only(registered, "secretPolicy:SecretPolicy").inputs
    assert inputs["secretArn"] == SECRET
    assert inputs["blockPublicPolicy"] is True


def test_every_statement_denies_and_names_no_region() -> None:
    for each in statements({**ARGS, "organization_id": "o-0123456789"}).values():
        assert (each["Effect"], each["Principal"], each["Resource"]) == ("Deny", "*", "*")
        assert "us-east-1" not in json.dumps(each)


def test_conditions_in_full() -> None:
    found = statements({**ARGS, "organization_id": "o-0123456789"})
    linked = ROLE + "aws-service-role/*"
    admin = "arn:aws:iam::*:role/deploy"
    writers = [admin, linked, ROLE + "rotation", ROLE + "seeder"]
    readers = [admin, linked, ROLE + "reader", ROLE + "rotation", ROLE + "seeder"]

    def but(arns: list[str]) -> dict[str, Any]:
        return {"ArnNotLike": {"aws:PrincipalArn": arns}, "BoolIfExists": NO_SERVICE}

    def outside(key: str, value: str) -> dict[str, Any]:
        return {"StringNotEquals": {key: value}, "BoolIfExists": NO_SERVICE}

    assert {sid: each["Condition"] for sid, each in found.items()} == {
        "RefuseWithoutTls": {"Bool": {"aws:SecureTransport": "false"}},
        "RefuseOtherAccounts": outside("aws:PrincipalAccount", "123456789012"),
        "RefuseReadingToOthers": but(readers),
        "RefuseChangesToOthers": but(writers),
        "RefuseMendingToOthers": but([admin]),
        "RefuseOtherOrganizations": outside("aws:PrincipalOrgID", "o-0123456789"),
    }


def test_reading_changing_and_mending_share_no_action() -> None:
    found = statements(ARGS)
    reading, changing, mending = (
        set(found[f"Refuse{what}ToOthers"]["Action"]) for what in ("Reading", "Changes", "Mending")
    )
    assert not reading & changing | changing & mending
    assert reading == {"secretsmanager:GetSecretValue"}
    assert reading | changing | mending < set(found["RefuseWithoutTls"]["Action"])
    assert found["RefuseOtherAccounts"]["Action"] == found["RefuseWithoutTls"]["Action"]


def test_others_may_not_tag_and_may_describe() -> None:
    found = statements(ARGS)
    tagging = {"secretsmanager:TagResource", "secretsmanager:UntagResource"}
    assert tagging < set(found["RefuseChangesToOthers"]["Action"])
    to_others = {
        action
        for sid, each in found.items()
        if sid.endswith("ToOthers")
        for action in each["Action"]
    }
    describing = {
        f"secretsmanager:{action}"
        for action in ("DescribeSecret", "GetResourcePolicy", "ListSecretVersionIds")
    }
    assert describing.isdisjoint(to_others)
    assert describing < set(found["RefuseOtherAccounts"]["Action"])


def test_a_wrong_organization_leaves_the_policy_to_be_mended() -> None:
    found = statements({**ARGS, "organization_id": "o-0123456789"})
    refused = set(found["RefuseOtherOrganizations"]["Action"])
    assert refused.isdisjoint(found["RefuseMendingToOthers"]["Action"])
    assert "RefuseOtherOrganizations" not in statements(ARGS)


def test_roles_may_be_outputs() -> None:
    def build() -> None:
        SecretPolicy("d", {**ARGS, "readers": [pulumi.Output.from_input(ROLE + "later")]})

    (policy,) = by_type(made(build), "secretPolicy:SecretPolicy")
    assert ROLE + "later" in policy.inputs["policy"]


def test_a_policy_that_nobody_could_change_is_refused() -> None:
    with pytest.raises(ValueError, match="administrators is empty, so no one could change"):
        made(lambda: SecretPolicy("d", {**ARGS, "administrators": []}))
