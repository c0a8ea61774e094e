"""Existing secrets in the embedded AWS: who lists one reads it, and nothing here changes it.

Their owners have granted the read, and where they are in another account, to this whole account.
"""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest
from pg8000.native import identifier

import postgres as postgres_client
from local import deployment
from local.account import AwsAccount
from local.aws import ACCOUNT_ID
from local.config import project
from local.databases.postgres import PostgreSQL
from local.databases.stack import with_local_database
from local.deployment import Deployment
from local.proofs import role_access
from tests import recording
from tests.documented import documents
from tests.local.rotation_support import make_user
from tests.local.test_monitoring import counted, wait_until, wait_until_counted
from tests.recording import PROJECT, ROOT

REGION, AWAY = "us-east-1", "us-west-2"
OTHER = "210987654321"
HANDLER = """
from secret_client import SecretClient, SecretError

secrets = SecretClient()

def handle(event, context):
    try:
        value = secrets.get_secret(event, context=context)
    except SecretError as error:
        return {"error": type(error).__name__}
    return {"text": value.text, "source": value.source}
"""
READ = {
    "extension": ("own-key", "customer-key", "other-account", "rds"),
    "sdk": ("away", "far"),
}
MASTERS = ("master", "master-own-key")

Value = dict[str, Any]


class Existing(NamedTuple):
    """A secret that somebody has made."""

    account: AwsAccount
    arn: str
    key_arn: str | None
    value: Value

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]

    @property
    def settings(self) -> dict[str, str]:
        """What a stack's config says of it."""
        key = {"keyArn": self.key_arn} if self.key_arn else {}
        return {"existing": self.arn, **key}

    def state(self) -> object:
        """Return all that AWS says of it, but for when it was last read."""
        secrets = self.account.client("secretsmanager", self.region)
        described = secrets.describe_secret(SecretId=self.arn)
        listed = secrets.list_secret_version_ids(SecretId=self.arn, IncludeDeprecated=True)
        policy = secrets.get_resource_policy(SecretId=self.arn)
        for answer in (described, listed, policy):
            del answer["ResponseMetadata"]
        for each in (described, *listed["Versions"]):
            each.pop("LastAccessedDate", None)
        return described, listed, policy


def allowing(principal: str, action: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": action,
        "Resource": "*",
    }


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def owners_grants(region: str) -> list[dict[str, Any]]:
    """Return what docs/operations.md asks of an owner: a resource policy, and a statement."""
    return documents("Read a secret of another account", ACCOUNT=ACCOUNT_ID, REGION=region)


def make(
    account: AwsAccount,
    name: str,
    region: str = REGION,
    *,
    own_key: bool = False,
    value: Value | None = None,
) -> Existing:
    """Make a secret, under a key of its own unless under AWS's; another account shares it."""
    key_arn = None
    if not own_key:
        statements = [allowing(account.account_id, "kms:*")]
        if account.account_id != ACCOUNT_ID:
            statements.append(owners_grants(region)[1])
        created = account.client("kms", region).create_key(Policy=document(*statements))
        key_arn = created["KeyMetadata"]["Arn"]
    value = value or {"token": uuid.uuid4().hex}
    secrets = account.client("secretsmanager", region)
    arn = secrets.create_secret(
        Name=name,
        SecretString=json.dumps(value),
        Tags=[{"Key": "owner", "Value": "somebody"}],
        **({"KmsKeyId": key_arn} if key_arn else {}),
    )["ARN"]
    if account.account_id != ACCOUNT_ID:
        shared = json.dumps(owners_grants(region)[0])
        secrets.put_resource_policy(SecretId=arn, ResourcePolicy=shared)
    return Existing(account, arn, key_arn, value)


def stack(code: str, existing: Mapping[str, Existing]) -> project.Stack:
    """Write a stack with a function that reads existing secrets, and one that reads its own."""

    def login(user: str, master: str) -> dict[str, Any]:
        rotation = {"strategy": "alternatingUsers", "adminSecret": master}
        fields = {"host": "db", "dbname": "postgres", "username": user}
        return {"fields": fields, "generate": {"password": {}}, "rotation": rotation}

    function = {"code": code, "handler": "reading.handle"}
    rotated = {f"{name}-login": login(f"app_{n}", name) for n, name in enumerate(MASTERS)}
    sections = {
        "secrets": {
            "session": {"generate": {"key": {}}},
            **{name: each.settings for name, each in existing.items()},
            **(rotated if existing else {}),
        },
        "functions": {
            "lists": {**function, "secrets": [each for each in existing if each not in MASTERS]},
            "lists-none": {**function, "secrets": ["session"]},
        },
        "recoveryWindowDays": 0,
        "audit": {"trail": "own"},
        "monitoring": {"enabled": True},
    }
    empty = project.Stack(ROOT, PROJECT, "existing", {"aws:region": REGION}, (), ())
    return empty.changed(**sections)


class World(NamedTuple):
    """The stack, the existing secrets, and their state before it was deployed."""

    made: Deployment
    existing: Mapping[str, Existing]
    before: Mapping[str, object]
    server: PostgreSQL

    def invoke(self, function: str, event: str) -> dict[str, str]:
        name = self.made.outputs["functions"][function]["name"]
        answer = self.made.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
        found: dict[str, str] = json.loads(answer["Payload"].read())
        return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    code = tmp_path_factory.mktemp("code") / "reading.py"
    code.write_text(HANDLER)
    layers = deployment.layer_arns(deployment.preview(stack(str(code), {})))
    # A stack whose function asks a database comes with one that functions reach.
    with_database = recording.stack("dev", function={"handler": "query"})
    with deployment.account(with_database, layers) as account:
        aws, server = account.aws, account.server
        assert server
        other, rds = aws.account(OTHER), f"rds!db-{uuid.uuid4()}"
        existing = {
            "own-key": make(aws, "billing/api", own_key=True),
            "customer-key": make(aws, "billing/partner"),
            "other-account": make(other, "shared/api"),
            "away": make(aws, "billing/api", AWAY),
            "far": make(other, "shared/api", AWAY),
            "rds": make(aws, rds),
            "watched": make(aws, "billing/watched"),
        }
        with server.connect() as superuser:
            for name in MASTERS:
                # As RDS writes it: no host, no port.
                login = {
                    "username": f"master_{uuid.uuid4().hex[:8]}",
                    "password": uuid.uuid4().hex,
                }
                make_user(superuser, login, "CREATEROLE")
                own_key = name == "master-own-key"
                rds = f"rds!cluster-{uuid.uuid4()}"
                existing[name] = make(aws, rds, own_key=own_key, value=login)
        before = {name: each.state() for name, each in existing.items()}
        planned = with_local_database(stack(str(code), existing), server)
        yield World(deployment.deploy(planned, aws, server=server), existing, before, server)


@pytest.mark.parametrize(
    ("name", "source"),
    [(name, source) for source, names in READ.items() for name in names],
)
def test_a_function_that_lists_an_existing_secret_reads_it_by_its_arn(
    world: World, name: str, source: str
) -> None:
    existing = world.existing[name]
    answer = world.invoke("lists", existing.arn)
    assert answer == {"text": json.dumps(existing.value), "source": source}


@pytest.mark.parametrize("name", [*READ["extension"], *READ["sdk"], *MASTERS])
def test_a_function_that_does_not_list_it_is_refused(world: World, name: str) -> None:
    assert world.invoke("lists-none", world.existing[name].arn) == {"error": "AccessDenied"}
    if name in MASTERS:
        assert world.invoke("lists", world.existing[name].arn) == {"error": "AccessDenied"}


def test_the_name_of_the_first_existing_secret_is_its_arn(world: World) -> None:
    name = world.made.outputs["functions"]["lists"]["name"]
    found = world.made.client("lambda").get_function_configuration(FunctionName=name)
    first = world.existing["own-key"]
    assert found["Environment"]["Variables"]["SECRET_NAME"] == first.arn


def test_each_grant_of_the_role_is_needed(world: World) -> None:
    client, role = world.made.client, world.made.outputs["functions"]["lists"]["role_arn"]
    existing = {name: world.existing[name] for name in READ["extension"]}
    arns = {each.arn: name for name, each in existing.items()}

    def read_without(key: str, value: str) -> set[str]:
        with role_access.role_copy(
            client, role, lambda statement: statement[key] != value
        ) as copy:
            outcomes = role_access.read_as(client, copy, list(arns))
        return {arns[arn] for arn, outcome in outcomes.items() if outcome == role_access.READ}

    assert read_without("Sid", "none") == existing.keys()
    assert read_without("Sid", "ReadExistingSecrets") == set()
    for name, each in existing.items():
        if each.key_arn:
            assert read_without("Resource", each.key_arn) == existing.keys() - {name}


def wait_until_rotated(world: World, name: str) -> Value:
    """Rotate a secret; return its next value."""
    secrets, arn = world.made.client("secretsmanager"), world.made.outputs["secret_arns"][name]
    deadline, version = time.monotonic() + 60, ""
    while time.monotonic() < deadline:
        if not version:  # what has just been deployed is still being tried
            try:
                version = secrets.rotate_secret(SecretId=arn)["VersionId"]
            except secrets.exceptions.InvalidRequestException:
                time.sleep(0.05)
                continue
        stages = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
        if "AWSCURRENT" in stages.get(version, ()):
            value: Value = json.loads(world.made.secret_text(arn))
            return value
        time.sleep(0.05)
    raise AssertionError("not rotated: " + "\n".join(world.made.log_lines()[-5:]))


@pytest.mark.parametrize("master", MASTERS)
def test_a_rotation_logs_in_as_the_master_user_of_rds(world: World, master: str) -> None:
    name = f"{master}-login"
    first = json.loads(world.made.secret_text(world.made.outputs["secret_arns"][name]))
    with world.server.connect() as superuser:
        user, boss = first["username"], world.existing[master].value["username"]
        superuser.run(f"GRANT {identifier(user)} TO {identifier(boss)} WITH ADMIN OPTION")
    rotated = wait_until_rotated(world, name)
    assert rotated["username"] == f"{first['username']}_clone"
    for value in (first, rotated):
        postgres_client.connect(value, ca_bundle=world.server.ca_bundle).close()
    assert world.existing[master].state() == world.before[master]


def test_nothing_changes_an_existing_secret_that_is_read(world: World) -> None:
    for name in (*READ["extension"], *READ["sdk"], *MASTERS):
        world.invoke("lists", world.existing[name].arn)
        assert world.existing[name].state() == world.before[name]
    made = {*world.made.outputs["secret_arns"].values()}
    assert not made & {each.arn for each in world.existing.values()}


def test_what_happens_to_an_existing_secret_of_this_account_and_region_is_counted(
    world: World,
) -> None:
    made, existing = world.made, world.existing["watched"]
    secrets, arn = made.client("secretsmanager"), existing.arn
    reads, unknown = counted(made, "Reads"), counted(made, "UnknownReaders")
    assert "text" in world.invoke("lists", arn)
    wait_until_counted(made, "Reads", reads + 1)
    assert counted(made, "UnknownReaders") == unknown
    for secret_id in (arn, arn[:-7], "billing/watched"):
        secrets.get_secret_value(SecretId=secret_id)
    # Another secret of a similar name is nobody's here.
    secrets.create_secret(Name="billing/watched-2", SecretString="value")
    secrets.get_secret_value(SecretId="billing/watched-2")
    wait_until_counted(made, "UnknownReaders", unknown + 3)
    wait_until(made, "unknown-reader", "ALARM")

    changes, ended = counted(made, "ChangedPolicies"), counted(made, "DeletedSecrets")
    read = allowing(ACCOUNT_ID, "secretsmanager:GetSecretValue")
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=document(read))
    made.client("kms").put_key_policy(
        KeyId=existing.key_arn, Policy=document(allowing(ACCOUNT_ID, "kms:*"))
    )
    wait_until_counted(made, "ChangedPolicies", changes + 2)
    secrets.delete_secret(SecretId=arn)
    secrets.restore_secret(SecretId=arn)
    wait_until_counted(made, "DeletedSecrets", ended + 1)


def test_the_preview_names_what_the_trail_does_not_see(world: World) -> None:
    warned = [each for each in world.made.record.messages if "do not see who reads" in each]
    assert len(warned) == len(("other-account", "away", "far"))
