import json

import pytest

from local.provider.provider import DeploymentError
from tests.provider.specimen import World
from tests.provider.specimens import iam

ROLE, POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


def test_a_role_that_got_a_policy_by_hand_is_deleted_only_after_a_refresh(world: World) -> None:
    state = world.make(ROLE, "role", assumeRolePolicy=iam.trust())
    name = state["id"]
    world.client("iam").put_role_policy(
        RoleName=name, PolicyName="by-hand", PolicyDocument=iam.document()
    )
    with pytest.raises(DeploymentError, match="DeleteConflict"):
        world.provider.delete(ROLE, "role", name, state)

    refreshed = world.provider.read(ROLE, "role", name, state)

    assert refreshed is not None
    assert [each["name"] for each in refreshed["inlinePolicies"]] == ["by-hand"]
    world.provider.delete(ROLE, "role", name, refreshed)


def test_policies_of_other_resources_are_no_difference_of_the_role(world: World) -> None:
    role = world.make(ROLE, "role", assumeRolePolicy=iam.trust())
    world.make(ATTACHMENT, "attachment", role=role["id"], policyArn=iam.policy(world))

    refreshed = world.provider.read(ROLE, "role", role["id"], role)

    assert refreshed is not None
    assert refreshed["managedPolicyArns"] == [iam.policy(world)]
    inputs = {key: role[key] for key in ("name", "assumeRolePolicy", "path")}
    inputs |= {"maxSessionDuration": 3600}
    assert world.provider.diff(ROLE, refreshed, inputs).changed == set()


def test_a_policy_keeps_its_five_last_versions(world: World) -> None:
    state = world.make(POLICY, "policy", policy=iam.document())
    arn = state["id"]
    for number in range(6):
        inputs = {"name": state["name"], "path": "/", "policy": iam.document(f"s3:Get{number}")}
        state = world.provider.update(POLICY, "policy", arn, state, inputs)
    versions = world.client("iam").list_policy_versions(PolicyArn=arn)["Versions"]
    assert len(versions) == 5
    assert json.loads(state["policy"])["Statement"][0]["Action"] == "s3:Get5"


def test_an_attachment_goes_before_another_one_comes(world: World) -> None:
    state = world.make(ATTACHMENT, "one", role=iam.role(world), policyArn=iam.policy(world))
    wanted = {"role": state["role"], "policyArn": iam.policy(world, "another-policy")}
    assert world.provider.diff(ATTACHMENT, state, wanted).delete_first


@pytest.mark.parametrize(
    ("type_", "inputs", "path"),
    [
        (ROLE, {"assumeRolePolicy": "{}", "name": "a" * 65}, "name"),
        (ROLE, {"assumeRolePolicy": "{}", "name": "a/b"}, "name"),
        (ROLE, {"assumeRolePolicy": "{}", "description": "a – b"}, "description"),
        (POLICY, {"policy": "[]"}, "policy"),
        (POLICY, {"policy": " {}"}, "policy"),
        (ATTACHMENT, {"role": "a", "policyArn": "a"}, "policyArn"),
    ],
)
def test_a_preview_refuses(world: World, type_: str, inputs: dict[str, str], path: str) -> None:
    assert [key for key, _ in world.provider.check(type_, "name", inputs)[1]] == [path]


def test_a_logical_name_that_makes_a_role_name_too_long_is_refused(world: World) -> None:
    given = {"assumeRolePolicy": iam.trust()}
    assert world.provider.check(ROLE, "a" * 56, given)[1] == []
    assert world.provider.check(ROLE, "a" * 57, given)[1] != []


@pytest.mark.parametrize("type_", [ATTACHMENT, "aws:iam/rolePolicy:RolePolicy"])
def test_an_import_id_of_another_form_is_refused(world: World, type_: str) -> None:
    with pytest.raises(DeploymentError, match="must be <role name>"):
        world.provider.find(type_, "name", "a-role")
