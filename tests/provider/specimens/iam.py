import json

from tests.provider.specimen import Specimen, World


def trust(service: str = "lambda.amazonaws.com") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def document(action: str = "s3:GetObject") -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(world: World, name: str = "a-role") -> str:
    return str(world.make("aws:iam/role:Role", name, assumeRolePolicy=trust())["name"])


def policy(world: World, name: str = "a-policy") -> str:
    return str(world.make("aws:iam/policy:Policy", name, policy=document())["arn"])


SPECIMENS = [
    Specimen(
        "aws:iam/role:Role",
        lambda _: {
            "name": "specimen",
            "assumeRolePolicy": trust(),
            "description": "of the tests",
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"name": "another"},
            {"assumeRolePolicy": trust("ec2.amazonaws.com")},
            {"description": "another"},
            {"description": None},
            {"maxSessionDuration": 7200},
            {"forceDetachPolicies": True},
            {"inlinePolicies": [{"name": "one", "policy": document()}]},
            {"inlinePolicies": [{"name": "another", "policy": document("s3:PutObject")}]},
            {"managedPolicyArns": [policy(world)]},
            {"managedPolicyArns": [policy(world, "another-policy")]},
            {"path": "/a/path/"},
            {"permissionsBoundary": policy(world)},
            {"permissionsBoundary": policy(world, "another-policy")},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        taken="EntityAlreadyExists",
        not_read=frozenset({"forceDetachPolicies"}),
    ),
    Specimen(
        "aws:iam/policy:Policy",
        lambda _: {
            "name": "specimen",
            "policy": document(),
            "description": "of the tests",
            "tags": {"A": "1", "B": "2"},
        },
        lambda _: [
            {"name": "another"},
            {"description": "another"},
            {"path": "/a/path/"},
            *({"policy": document(f"s3:Get{number}")} for number in range(6)),
            {"delayAfterPolicyCreationInMs": 1, "policy": document("s3:PutObject")},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None},
        ],
        taken="EntityAlreadyExists",
        not_read=frozenset({"delayAfterPolicyCreationInMs"}),
    ),
    Specimen(
        "aws:iam/rolePolicy:RolePolicy",
        lambda world: {"role": role(world), "name": "specimen", "policy": document()},
        lambda world: [
            {"policy": document("s3:PutObject")},
            {"name": "another"},
            {"role": role(world, "another-role")},
        ],
    ),
    Specimen(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        lambda world: {"role": role(world), "policyArn": policy(world)},
        lambda world: [
            {"policyArn": policy(world, "another-policy")},
            {"role": role(world, "another-role")},
        ],
    ),
]
