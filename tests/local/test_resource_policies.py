# ruff: noqa: PLR0913, PLR0917 (a test's arguments are fixtures)
"""The resource policy in the embedded AWS: a grant by IAM is not enough, and nobody is locked out.

It does not prove what Zelkova, AWS's prover, thinks of a policy: the emulator looks at principals
and conditions one by one.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError

from infra import own_files
from infra.components.app_secret import AppSecret
from infra.components.encryption_key import EncryptionKey
from infra.components.reader_role import ReaderRole
from infra.components.secret_policy import SecretPolicy, SecretPolicyArgs
from infra.components.secret_rotation import SecretRotation
from infra.components.secret_seeder import SecretSeeder
from infra.config.settings import SettingsError, administrators
from local.aws import EmbeddedAws
from local.config import project
from local.engines.built_in import BuiltInEngine
from local.provider.provider import DeploymentError, Provider
from tests.recording import PROJECT, ROOT
from tests.unit.test_settings import VALID, read

HANDLER = ROOT / "handler"
FILES = ("rotation.py", "rotation_engine.py", "rotation_random.py", "secret_json.py")
REGION = "us-east-1"
EVERYTHING = {"Action": "secretsmanager:*"}
OTHER_REGION = "us-west-2"

Make = Callable[..., Any]


@pytest.fixture
def secret(aws: EmbeddedAws, unique: str) -> str:
    created = aws.client("secretsmanager", REGION).create_secret(
        Name=unique, SecretString="value", AddReplicaRegions=[{"Region": OTHER_REGION}]
    )
    return str(created["ARN"])


def restrict(aws: EmbeddedAws, secret: str, **changes: Any) -> None:
    """Deploy the component, with the administrator of the embedded AWS who deploys."""
    args: SecretPolicyArgs = {
        "secret_arn": secret,
        "partition": "aws",
        "account_id": aws.account_id,
        "readers": [],
        "writers": [],
        "administrators": [f"arn:aws:iam::{aws.account_id}:user/admin"],
        **changes,  # type: ignore[typeddict-item]
    }
    nothing = project.Stack(ROOT, PROJECT, "test", {}, (), ())
    BuiltInEngine(Provider(aws, REGION)).run(
        nothing, lambda: (SecretPolicy("secret", args), None)[1]
    )


def read_value(client: Any, secret: str) -> object:
    return client.get_secret_value(SecretId=secret)["SecretString"]


def put_value(client: Any, secret: str) -> object:
    return client.put_secret_value(SecretId=secret, SecretString="next")


def put_policy(client: Any, secret: str) -> object:
    document = {"Version": "2012-10-17", "Statement": []}
    return client.put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(document))


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("reader", [read_value]),
        ("writer", [read_value, put_value]),
        ("administrator", [read_value, put_value, put_policy]),
        ("other", []),
    ],
)
def test_of_roles_that_iam_grants_everything_each_may_what_it_is_for(
    aws: EmbeddedAws,
    make_role: Make,
    client_of: Make,
    secret: str,
    role: str,
    allowed: list[Callable[[Any, str], object]],
) -> None:
    roles = {
        name: make_role(EVERYTHING) for name in ("reader", "writer", "administrator", "other")
    }
    admin = f"arn:aws:iam::{aws.account_id}:user/admin"
    restrict(
        aws,
        secret,
        readers=[roles["reader"]],
        writers=[roles["writer"]],
        administrators=[admin, roles["administrator"][:-1] + "?"],
    )

    client = client_of("secretsmanager", roles[role])
    for call in (read_value, put_value, put_policy):
        if call in allowed:
            assert call(client, secret)
        else:
            with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
                call(client, secret)
    assert client.describe_secret(SecretId=secret)["ARN"] == secret


def test_when_every_administrator_is_gone_a_role_of_the_same_name_opens_the_secret(
    aws: EmbeddedAws, make_role: Make, client_of: Make, policy: Make, secret: str
) -> None:
    lost = make_role(EVERYTHING)
    restrict(aws, secret, administrators=[lost])
    iam, name = aws.client("iam", REGION), lost.rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    iam.delete_role_policy(RoleName=name, PolicyName="policy")
    iam.delete_role(RoleName=name)
    for client in (
        aws.client("secretsmanager", REGION),
        client_of("secretsmanager", make_role(EVERYTHING)),
    ):
        assert lost in client.get_resource_policy(SecretId=secret)["ResourcePolicy"]
        with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
            client.delete_resource_policy(SecretId=secret)

    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=policy(EVERYTHING))
    client_of("secretsmanager", lost).delete_resource_policy(SecretId=secret)
    assert read_value(aws.client("secretsmanager", REGION), secret) == "value"


@pytest.mark.parametrize("role", ["writer", "administrator", "reader", "other"])
def test_of_roles_that_iam_grants_everything_only_who_may_change_a_secret_tags_it(
    aws: EmbeddedAws, make_role: Make, client_of: Make, secret: str, role: str
) -> None:
    arn = make_role(EVERYTHING)
    admin = f"arn:aws:iam::{aws.account_id}:user/admin"
    named = {"reader": "readers", "writer": "writers"}.get(role)
    given = {named: [arn]} if named else {}
    administrators = [admin, arn] if role == "administrator" else [admin]
    restrict(aws, secret, administrators=administrators, **given)
    client = client_of("secretsmanager", arn)

    def tag() -> None:
        client.tag_resource(SecretId=secret, Tags=[{"Key": "Team", "Value": "t"}])
        client.untag_resource(SecretId=secret, TagKeys=["Team"])

    if role in ("writer", "administrator"):
        tag()
    else:
        with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
            tag()
    assert client.list_secret_version_ids(SecretId=secret)["Versions"]


def test_the_seeder_the_rotation_and_the_reader_go_on_under_the_policy(
    aws: EmbeddedAws, make_function: Make, invoke: Make, unique: str
) -> None:
    """Their own components, with the least roles that these make."""
    rules = {"length": 20}
    prefix = f"/aws/lambda/{unique}-"

    def program() -> None:
        key = EncryptionKey(
            "k",
            {
                "description": "d",
                "alias": unique,
                "partition": "aws",
                "region": REGION,
                "account_id": aws.account_id,
                "log_group_prefix": prefix,
            },
        )
        secret = AppSecret("s", {"name": unique, "key_arn": key.arn})
        seeder = SecretSeeder(
            "seeder",
            {
                "seeds": {
                    "s": {
                        "name": unique,
                        "arn": secret.arn,
                        "fields": {"a": 1},
                        "generate": {"key": rules},
                    }
                },
                "key_arn": key.arn,
                "log_group_name": f"{prefix}seeder",
                "files": own_files.SEEDER,
                "handler": "seed.lambda_handler",
            },
        )
        rotation = SecretRotation(
            "rotation",
            {
                "secret_arn": secret.arn,
                "key_arn": key.arn,
                "account_id": aws.account_id,
                "log_group_name": f"{prefix}rotation",
                "files": {name: HANDLER / name for name in FILES},
                "handler": "rotation.lambda_handler",
                "strategy": "random",
                "generate": {"key": rules},
            },
            pulumi.ResourceOptions(depends_on=[seeder]),
        )
        role = ReaderRole(
            "reader",
            {
                "secret_arns": {unique: secret.arn},
                "key_arn": key.arn,
                "log_group_arn": f"arn:aws:logs:{REGION}:{aws.account_id}:log-group:{prefix}r",
            },
        )
        SecretPolicy(
            "s",
            {
                "secret_arn": secret.arn,
                "partition": "aws",
                "account_id": aws.account_id,
                "readers": [role.arn],
                "writers": [rotation.role_arn, seeder.role_arn],
                "administrators": [f"arn:aws:iam::{aws.account_id}:user/admin"],
            },
        )
        pulumi.export("seeder", seeder.function_name)
        pulumi.export("reader", role.arn)

    engine = BuiltInEngine(Provider(aws, REGION))
    engine.run(project.Stack(ROOT, PROJECT, "test", {}, (), ()), program)

    admin = aws.client("secretsmanager", REGION)
    before = json.loads(str(read_value(admin, unique)))
    seed = {"SecretId": unique, "Fields": {"a": 2}, "Generate": {"key": rules}}
    assert invoke(engine.outputs["seeder"], seed)["Updated"] == ["a"]
    admin.rotate_secret(SecretId=unique)
    deadline = time.monotonic() + 60
    while (now := json.loads(str(read_value(admin, unique))))["key"] == before["key"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert now["a"] == 2
    source = (
        "import boto3, json\n"
        "def handler(event, context):\n"
        "    return json.loads(boto3.client('secretsmanager').get_secret_value(SecretId=event)"
        "['SecretString'])['a']\n"
    )
    assert invoke(make_function(source, Role=engine.outputs["reader"]), unique) == 2
    stranger = make_function(source, EVERYTHING, {"Action": "kms:Decrypt"})
    refused = invoke(stranger, unique)
    assert "explicit deny in a resource-based policy" in refused["errorMessage"]


def test_a_secret_asked_for_by_its_name_is_refused_too(
    aws: EmbeddedAws, make_role: Make, client_of: Make, secret: str, unique: str
) -> None:
    restrict(aws, secret)
    other = client_of("secretsmanager", make_role(EVERYTHING))
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        read_value(other, unique)
    (error,) = other.batch_get_secret_value(SecretIdList=[unique])["Errors"]
    assert error["ErrorCode"] == "AccessDeniedException"


def test_the_user_who_deploys_keeps_reading_writing_and_mending(
    aws: EmbeddedAws, secret: str
) -> None:
    restrict(aws, secret)
    restrict(aws, secret)
    admin = aws.client("secretsmanager", REGION)
    assert put_value(admin, secret)
    assert read_value(admin, secret) == "next"
    admin.delete_resource_policy(SecretId=secret)


def test_a_request_without_tls_is_refused_to_everybody(aws: EmbeddedAws, secret: str) -> None:
    iam = aws.client("iam", REGION)
    key = iam.create_access_key(UserName="admin")["AccessKey"]
    plain = aws.client_as("secretsmanager", REGION, key)
    plain.meta.events.register(
        "before-sign", lambda request, **_: request.headers.add_header("X-Forwarded-Proto", "http")
    )
    assert read_value(plain, secret) == "value"
    restrict(aws, secret)
    for call in (read_value, put_value, put_policy):
        with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
            call(plain, secret)
    assert read_value(aws.client("secretsmanager", REGION), secret) == "value"


def test_another_account_is_refused_though_its_role_is_named(
    aws: EmbeddedAws, make_role: Make, client_of: Make, secret: str
) -> None:
    reader = make_role(EVERYTHING)
    restrict(aws, secret, readers=[reader])
    client = client_of("secretsmanager", reader)
    assert read_value(client, secret) == "value"
    # As if the secret's account were another one: who reads is then a stranger.
    admin = aws.client("secretsmanager", REGION)
    policy = admin.get_resource_policy(SecretId=secret)["ResourcePolicy"]
    moved = json.loads(policy)
    for statement in moved["Statement"]:
        condition = statement["Condition"].get("StringNotEquals", {})
        if "aws:PrincipalAccount" in condition:
            condition["aws:PrincipalAccount"] = "210987654321"
    admin.put_resource_policy(SecretId=secret, ResourcePolicy=json.dumps(moved))
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        read_value(client, secret)


def test_a_wrong_organization_refuses_everybody_and_can_still_be_mended(
    aws: EmbeddedAws, make_role: Make, client_of: Make, secret: str
) -> None:
    reader = make_role(EVERYTHING)
    # The provider reads back what it put, and is refused by then.
    with pytest.raises(DeploymentError, match="GetResourcePolicy"):
        restrict(aws, secret, readers=[reader], organization_id="o-0000000000")
    admin, client = aws.client("secretsmanager", REGION), client_of("secretsmanager", reader)
    for each in (admin, client):
        with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
            read_value(each, secret)
    real = aws.client("organizations", REGION).describe_organization()["Organization"]["Id"]
    restrict(aws, secret, readers=[reader], organization_id=real)
    assert read_value(client, secret) == "value"


def test_a_public_policy_is_refused_when_asked_to(aws: EmbeddedAws, secret: str) -> None:
    admin = aws.client("secretsmanager", REGION)
    allow = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    wide: list[dict[str, Any]] = [
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["arn:aws:iam::123456789012:root", "*"]}},
        {"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Principal": "*", "Condition": {"StringLike": {"aws:SourceArn": "arn:aws:s3:::*"}}},
    ]
    wide.append({"Principal": "*", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}})
    narrow: list[dict[str, Any]] = [
        {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}},
        {"Principal": {"Service": "rds.amazonaws.com"}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Principal": "*", "Effect": "Deny"},
    ]

    def put(statement: dict[str, Any], *, block: bool) -> None:
        document = {"Version": "2012-10-17", "Statement": [allow | statement]}
        admin.put_resource_policy(
            SecretId=secret, ResourcePolicy=json.dumps(document), BlockPublicPolicy=block
        )
        admin.delete_resource_policy(SecretId=secret)

    for statement in wide:
        with pytest.raises(admin.exceptions.PublicPolicyException, match="broad access"):
            put(statement, block=True)
        put(statement, block=False)
    for statement in narrow:
        put(statement, block=True)


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"Version": "2012-10-17"}', '"text"'])
def test_what_is_no_policy_is_refused(aws: EmbeddedAws, secret: str, text: str) -> None:
    admin = aws.client("secretsmanager", REGION)
    with pytest.raises(admin.exceptions.MalformedPolicyDocumentException):
        admin.put_resource_policy(SecretId=secret, ResourcePolicy=text)


def test_a_policy_has_at_most_20480_characters(aws: EmbeddedAws, secret: str) -> None:
    with pytest.raises(DeploymentError, match="length less than or equal to 20480"):
        restrict(
            aws, secret, readers=[f"arn:aws:iam::123456789012:role/{n:0200}" for n in range(99)]
        )


def test_who_would_lock_itself_out_is_refused_before_anything_is_made(
    make_role: Make, client_of: Make
) -> None:
    role = make_role({"Action": "*"})
    caller = client_of("sts", role).get_caller_identity()["Arn"]
    name = role.rpartition("/")[2]
    policy = {"enabled": True, "administrators": [f"arn:aws:iam::*:role/{name}"]}
    with pytest.raises(SettingsError) as error:
        administrators(read({**VALID, "resourcePolicy": policy}), caller)
    (fault,) = error.value.errors
    remedy = f"add {role} and {role.replace(name, '*/' + name)}; fix it in Pulumi.test.yaml"
    assert fault.endswith(f"would lock out the deployer, {caller}; {remedy}")
    policy["administrators"] = [role, role.replace(name, f"*/{name}")]
    assert administrators(read({**VALID, "resourcePolicy": policy}), caller)
