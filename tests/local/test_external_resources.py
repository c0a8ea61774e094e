"""A stack's file that names what others own is deployed as it is; the output says what is here."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local import deployment
from local.deployment import Account, Deployment
from local.proofs.role_access import READ, read_as
from tests.recording import stack

OWNER = "111122223333"
POLICY = f"arn:aws:iam::{OWNER}:policy/{{}}"
KEY = f"arn:aws:kms:us-east-1:{OWNER}:key/01234567-89ab-cdef-0123-456789abcdef"
SECRET = f"arn:aws:secretsmanager:{{}}:{OWNER}:secret:{{}}-AbCdEf"
ELSEWHERE = f"arn:aws:iam::{OWNER}:role/apps/reporting"
AWS_POLICY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
QUEUE, TOPIC = (f"arn:aws:{each}:us-east-1:{OWNER}:dead" for each in ("sqs", "sns"))
SIGNING = f"arn:aws:lambda:us-east-1:{OWNER}:code-signing-config:csc-0123456789abcdef0"
LAYER = f"arn:aws:lambda:us-east-1:{OWNER}:layer:of-the-team:3"
FUNCTION = {"code": "handler/app.py", "handler": "app.lambda_handler"}
FUNCTIONS: dict[str, dict[str, Any]] = {
    "one": {
        **FUNCTION,
        "secrets": ["session", "near"],
        "network": {"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]},
        "role": {"policyArns": [POLICY.format("team"), AWS_POLICY], "path": "/apps/"},
        "environmentKey": KEY,
        "deadLetterQueue": QUEUE,
        "codeSigningConfigArn": SIGNING,
        "layers": [LAYER],
    },
    "two": {
        **FUNCTION,
        "secrets": ["far"],
        "network": {"subnetIds": ["subnet-1", "subnet-2"], "securityGroupIds": ["sg-1"]},
        "role": {"permissionsBoundary": POLICY.format("narrow")},
        "deadLetterQueue": TOPIC,
    },
}


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Account, Deployment]]:
    named = stack(
        "dev",
        function={},
        functions=FUNCTIONS,
        readers={"reporting": {"role": ELSEWHERE, "secrets": ["session"]}},
        roles={"permissionsBoundary": POLICY.format("edge")},
        secrets={
            "session": {"generate": {"key": {}}},
            "near": {"existing": SECRET.format("us-east-1", "rds!cluster-0123"), "keyArn": KEY},
            "far": {"existing": SECRET.format("eu-west-1", "team/far")},
        },
    )
    layers = deployment.layer_arns(deployment.preview(named))
    with deployment.account(named, layers) as account:
        yield account, deployment.deploy(account.stack, account.aws)


def role(made: Deployment, name: str) -> dict[str, Any]:
    arn = made.functions[name].outputs["role_arn"]
    found: dict[str, Any] = made.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]
    return found


def test_each_is_said_with_what_is_in_its_place(running: tuple[Account, Deployment]) -> None:
    notes = {note.partition(": ")[0]: note for note in running[0].notes}
    assert notes.keys() == {
        "readers.reporting.role",
        "roles.permissionsBoundary",
        "secrets.near.existing",
        "secrets.near.keyArn",
        "secrets.far.existing",
        "functions.one.role.policyArns",
        "functions.one.environmentKey",
        "functions.one.deadLetterQueue",
        "functions.one.layers",
        "functions.one.codeSigningConfigArn",
        "functions.two.role.permissionsBoundary",
        "functions.two.deadLetterQueue",
    }
    assert len(notes) == len(running[0].notes)
    boundary = POLICY.format("edge")
    assert notes["roles.permissionsBoundary"] == (
        f"roles.permissionsBoundary: {boundary} does not exist here;"
        " a policy that allows everything is used instead"
    )


def test_roles_are_bounded_and_extended_by_policies_that_are_here(
    running: tuple[Account, Deployment],
) -> None:
    made = running[1]
    iam = made.client("iam")
    for name, ending in (("one", "/edge-everything"), ("two", "/narrow-everything")):
        boundary = role(made, name)["PermissionsBoundary"]["PermissionsBoundaryArn"]
        assert boundary.endswith(ending)
        document = iam.get_policy_version(PolicyArn=boundary, VersionId="v1")["PolicyVersion"]
        (statement,) = document["Document"]["Statement"]
        assert (statement["Action"], statement["Resource"]) == ("*", "*")
    assert role(made, "one")["Path"] == "/apps/"
    attached = iam.list_attached_role_policies(RoleName=role(made, "one")["RoleName"])
    arns = {each["PolicyArn"] for each in attached["AttachedPolicies"]}
    assert AWS_POLICY in arns
    assert any(arn.endswith("/team-nothing") for arn in arns)


def test_a_boundary_bounds_what_a_role_reads(running: tuple[Account, Deployment]) -> None:
    made = running[1]
    iam, own = made.client("iam"), made.functions["two"].outputs["role_arn"]
    (arn,) = [arn for name, arn in made.secret_arns.items() if name == "far"]
    assert read_as(made.client, own, [arn]) == {arn: READ}
    boundary = role(made, "two")["PermissionsBoundary"]["PermissionsBoundaryArn"]
    statement = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_policy_version(PolicyArn=boundary, PolicyDocument=document, SetAsDefault=True)
    try:
        assert "AccessDenied" in read_as(made.client, own, [arn])[arn]
    finally:
        iam.set_default_policy_version(PolicyArn=boundary, VersionId="v1")


def test_existing_secrets_are_read_where_they_are(running: tuple[Account, Deployment]) -> None:
    made = running[1]
    near, far = (made.secret_arns[name] for name in ("near", "far"))
    assert (near.split(":")[3], far.split(":")[3]) == ("us-east-1", "eu-west-1")
    assert "secret:rds-cluster-0123-" in near
    assert "secret:team/far-" in far
    key = made.client("secretsmanager").describe_secret(SecretId=near)["KmsKeyId"]
    assert key == made.settings.secrets["near"].key_arn != KEY
    for name, arn, other in (("one", near, far), ("two", far, near)):
        own = made.functions[name].outputs["role_arn"]
        outcomes = read_as(made.client, own, [arn, other])
        assert outcomes.pop(arn) == READ
        assert "AccessDenied" in outcomes[other]
    password = json.loads(made.secret_text(far))["password"]
    assert password in made.canaries


def test_a_role_that_is_made_elsewhere_reads_what_it_may(
    running: tuple[Account, Deployment],
) -> None:
    account, made = running
    arn = account.stack.section("readers")["reporting"]["role"]
    session = made.outputs["secret_arns"]["session"]
    assert read_as(made.client, arn, [session]) == {session: READ}
    assert made.outputs["read_policy_arns"]["reporting"]


def test_functions_have_what_their_settings_name(running: tuple[Account, Deployment]) -> None:
    made = running[1]
    one, two = (made.functions[name].configuration for name in ("one", "two"))
    assert one["DeadLetterConfig"]["TargetArn"].startswith("arn:aws:sqs:us-east-1:123456789012:")
    assert two["DeadLetterConfig"]["TargetArn"].startswith("arn:aws:sns:us-east-1:123456789012:")
    assert one["KMSKeyArn"] == made.settings.functions["one"].environment_key != KEY
    assert LAYER in [layer["Arn"] for layer in one["Layers"]]
    (subnet,) = one["VpcConfig"]["SubnetIds"]
    assert subnet in two["VpcConfig"]["SubnetIds"]
    assert len(two["VpcConfig"]["SubnetIds"]) == 2
    assert one["VpcConfig"]["SecurityGroupIds"] == two["VpcConfig"]["SecurityGroupIds"]


def test_a_file_that_names_nothing_of_others_is_left_as_it_is() -> None:
    own = stack("dev")
    with deployment.account(own, []) as account:
        assert (account.stack, account.notes) == (own, [])
