"""Secrets that rotate on the embedded AWS and a real PostgreSQL, step by step as a test wants."""

import contextlib
import io
import json
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import boto3
import pytest
from pg8000.native import Connection, InterfaceError, identifier, literal

import postgres as postgres_client
import rotation
import rotation_engine
import rotation_postgres
from infra.aws.limits import ROTATION_STRATEGIES
from local.aws import EmbeddedAws
from local.databases.postgres import PostgreSQL
from tests.local import postgres_versions
from tests.scripted import told

REGION = "us-east-1"
LOWEST_MINORS = {13: 18, 14: 15, 15: 10, 16: 6, 17: 2}
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
ON_SERVER = [strategy for strategy in ROTATION_STRATEGIES if strategy != "random"]
RULES = {"length": 40, "excludePunctuation": True}
Value = dict[str, Any]
on_the_server = pytest.mark.parametrize("strategy", ON_SERVER)


@pytest.fixture(scope="module", params=postgres_versions.each())
def each_postgres(request: pytest.FixtureRequest) -> Iterator[PostgreSQL]:
    """Each server of this machine, in the place of `postgres`."""
    with postgres_versions.running(request.param) as started:
        yield started


@pytest.fixture(scope="module")
def server(postgres: PostgreSQL) -> Iterator[Connection]:
    """A connection of the superuser; there is an admin that may only make and grant roles."""
    value = {"host": postgres.host, "port": postgres.port}
    value |= dict(zip(("username", "password"), postgres.admin, strict=True))
    with postgres_client.connect(value, ca_bundle=postgres.ca_bundle) as connection:
        yield connection


@pytest.fixture(scope="module")
def admin(server: Connection) -> Value:
    """Name and password of a role such as RDS gives: CREATEROLE, and no superuser."""
    made = {"username": f"admin_{uuid.uuid4().hex[:8]}", "password": uuid.uuid4().hex}
    make_user(server, made, "CREATEROLE")
    return made


@pytest.fixture(scope="module")
def idle_function(aws: EmbeddedAws) -> str:
    """ARN of a function that Secrets Manager may call and that fails."""
    functions, name = aws.client("lambda", REGION), f"idle-{uuid.uuid4().hex[:8]}"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(
            "app.py", "def handler(event, context):\n    raise RuntimeError('idle')\n"
        )
    arn = functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": content.getvalue()},
        Role=role(aws, {"Service": "lambda.amazonaws.com"}),
    )["FunctionArn"]
    while functions.get_function_configuration(FunctionName=name)["State"] == "Pending":
        time.sleep(0.02)
    functions.add_permission(
        FunctionName=name,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    return str(arn)


def role(aws: EmbeddedAws, principal: dict[str, str], *statements: dict[str, Any]) -> str:
    iam, name = aws.client("iam", REGION), f"role-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]
    if statements:
        iam.put_role_policy(
            RoleName=name, PolicyName="policy", PolicyDocument=document(*statements)
        )
    return str(made["Arn"])


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def prefix() -> str:
    """What the names of all secrets here begin with."""
    return f"rotated-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def role_client(aws: EmbeddedAws, prefix: str) -> Any:
    """Secrets Manager with the credentials of a role that may do what a rotation needs."""
    arn = role(
        aws,
        {"AWS": f"arn:aws:iam::{aws.account_id}:root"},
        {
            "Effect": "Allow",
            "Action": [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:ListSecretVersionIds",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            "Resource": f"arn:aws:secretsmanager:{REGION}:{aws.account_id}:secret:{prefix}-*",
        },
        {"Effect": "Allow", "Action": "secretsmanager:GetRandomPassword", "Resource": "*"},
    )
    session = aws.client("sts", REGION).assume_role(RoleArn=arn, RoleSessionName="rotation")
    return aws.client_as("secretsmanager", REGION, session["Credentials"])


def make_user(server: Connection, value: Value, options: str = "") -> None:
    verifier = postgres_client.scram_verifier(value["password"])
    server.run(
        f"CREATE ROLE {identifier(value['username'])} LOGIN {options} PASSWORD {literal(verifier)}"
    )


class Crash(BaseException):
    """The end of the function's process: nothing catches it."""


class Crashes:
    """Lets the n-th call of AWS or PostgreSQL be the last one, without or with its effect."""

    def __init__(self) -> None:
        self._left = 0
        self._after = False

    def arm(self, call: int, *, after: bool) -> None:
        self._left, self._after = call, after

    def __call__(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left != 0:
            return call(*arguments, **options)
        if self._after:
            with contextlib.suppress(Exception):  # no answer arrives, of whatever kind
                result = call(*arguments, **options)
                if isinstance(result, Connection):
                    result.close()
        raise Crash


class Watched:
    """An object whose methods are called through another callable, such as `Crashes`."""

    def __init__(self, crashes: Callable[..., Any], watched: Any) -> None:
        self._crashes, self._watched = crashes, watched

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._watched, name)
        if not callable(method) or name == "exceptions":
            return method
        return lambda *arguments, **options: self._crashes(method, *arguments, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watched.close()


class Rotated:
    """A secret of one strategy, with its users, whose rotation has been started."""

    def __init__(self, world: "World", strategy: str, **fields: Any) -> None:
        self.world, self.strategy = world, strategy
        if strategy == "alternatingUsers" and not world.keeps_roles:
            pytest.skip("this minor of PostgreSQL is refused for alternatingUsers")
        unique = uuid.uuid4().hex[:12]
        value = {**world.address, "username": f"app_{unique}", "password": uuid.uuid4().hex}
        value = {"key": uuid.uuid4().hex} if strategy == "random" else value
        self.first: Value = value | fields
        if strategy != "random" and world.makes_users:
            make_user(world.server, self.first)
            user, admin = (identifier(v["username"]) for v in (self.first, world.admin))
            world.server.run(f"GRANT {user} TO {admin} WITH ADMIN OPTION")
        name = f"{world.prefix}-{unique}"
        self.arn = world.secrets.create_secret(Name=name, SecretString=json.dumps(self.first))[
            "ARN"
        ]
        self.field = "key" if strategy == "random" else "password"
        self.begin()

    def begin(self) -> None:
        """Let Secrets Manager make a version that is pending and has no value."""
        self.token = str(uuid.uuid4())
        self.world.secrets.rotate_secret(
            SecretId=self.arn,
            RotationLambdaARN=self.world.function_arn,
            RotationRules={"AutomaticallyAfterDays": 1},
            ClientRequestToken=self.token,
        )

    def step(self, name: str, **event: str) -> None:
        self.world.configure(
            SECRET_ARN=self.arn,
            STRATEGY=self.strategy,
            GENERATE=json.dumps({self.field: RULES}),
            OVERLAP_SECONDS="3600",
        )
        asked = {"Step": name, "SecretId": self.arn, "ClientRequestToken": self.token}
        rotation.lambda_handler(asked | event, None)

    def steps(self, *names: str) -> None:
        for name in names or STEPS:
            self.step(name)

    def value(self, stage: str = "AWSCURRENT") -> Value | None:
        """Return a value; None where the stage has none."""
        secrets = self.world.secrets
        try:
            answer = secrets.get_secret_value(SecretId=self.arn, VersionStage=stage)
        except secrets.exceptions.ResourceNotFoundException:
            return None
        found: Value = json.loads(answer["SecretString"])
        return found

    def current(self, stage: str = "AWSCURRENT") -> Value:
        """Return a value that is there."""
        found = self.value(stage)
        assert found is not None
        return found

    def version(self, stage: str = "AWSCURRENT") -> str | None:
        described = self.world.secrets.describe_secret(SecretId=self.arn)
        stages: dict[str, list[str]] = described["VersionIdsToStages"]
        return next((version for version, labels in stages.items() if stage in labels), None)

    def put(self, value: Value, *, announced: bool = True) -> str:
        """Make a value current by hand; not announced, by moving the label to it."""
        stages = ["AWSCURRENT"] if announced else ["BYHAND"]
        put = self.world.secrets.put_secret_value(
            SecretId=self.arn, SecretString=json.dumps(value), VersionStages=stages
        )
        if not announced:
            self.world.secrets.update_secret_version_stage(
                SecretId=self.arn,
                VersionStage="AWSCURRENT",
                MoveToVersionId=put["VersionId"],
                RemoveFromVersionId=self.version(),
            )
        return str(put["VersionId"])

    def works(self, value: Value | None) -> bool:
        if value is None or self.strategy == "random":
            return value is not None and bool(value["key"])
        try:
            self.world.log_in(value).close()
        except postgres_client.ConnectionFailed as error:
            if postgres_client.is_auth_error(error):
                return False
            raise
        return True

    def assert_nothing_is_lost(self) -> None:
        if self.works(self.value()):
            return
        assert self.strategy == "singleUser"
        assert self.works(self.value("AWSPENDING"))

    def assert_rotated(self, before: Value) -> None:
        value = self.current()
        assert self.version() == self.token
        assert self.value("AWSPREVIOUS") == before
        assert self.works(value)
        assert value[self.field] != before[self.field]
        changed = {name for name in value | before if value.get(name) != before.get(name)}
        assert changed <= {self.field, "previous", "username", "alternateUsername"}
        if self.strategy == "alternatingUsers":
            assert value["alternateUsername"] == before["username"]
            assert self.works(before)
            assert self.acts_as_the_original(value)
        elif self.strategy == "singleUser":
            assert not self.works(before)
        else:
            assert value["previous"]["key"] == before["key"]

    def acts_as_the_original(self, value: Value) -> bool:
        with self.world.log_in(value) as connection:
            ((user,),) = connection.run("SELECT current_user")
        return bool(user == self.first["username"])


class World:
    """AWS, PostgreSQL, and the environment of the function."""

    def __init__(  # noqa: PLR0913, PLR0917 (its parts)
        self,
        aws: EmbeddedAws,
        postgres: PostgreSQL,
        server: Connection,
        admin: Value,
        function_arn: str,
        prefix: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.secrets = aws.client("secretsmanager", REGION)
        self.postgres, self.server, self.admin = postgres, server, admin
        self.address = {"host": postgres.host, "port": postgres.port, "dbname": "postgres"}
        self.function_arn, self.prefix = function_arn, prefix
        self.makes_users = True
        ((version,),) = server.run("SELECT current_setting('server_version_num')::int")
        self.keeps_roles = (
            version >= 180_000 or version % 10_000 >= LOWEST_MINORS[version // 10_000]
        )
        self.crashes = Crashes()
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("CA_BUNDLE", str(postgres.ca_bundle))
        self.put_admin({**self.address, **admin})

    def put_admin(self, value: Value | None, pending: Value | None = None) -> None:
        """Make `value` what the function finds as its admin secret; None for no value."""
        name = f"{self.prefix}-admin-{uuid.uuid4().hex[:8]}"
        arn = self.secrets.create_secret(Name=name)["ARN"]
        for stage, each in (("AWSCURRENT", value), ("AWSPENDING", pending)):
            if each is not None:
                self.secrets.put_secret_value(
                    SecretId=arn, SecretString=json.dumps(each), VersionStages=[stage]
                )
        self._monkeypatch.setenv("ADMIN_SECRET_ARN", arn)

    def make_admin(self) -> str:
        """Make an admin for this test alone; return its name."""
        made = {"username": f"admin_{uuid.uuid4().hex[:8]}", "password": uuid.uuid4().hex}
        make_user(self.server, made, "CREATEROLE")
        self.admin = made
        self.put_admin({**self.address, **made})
        return made["username"]

    def configure(self, **environment: str) -> None:
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)

    def log_in(self, value: Value) -> Connection:
        return postgres_client.connect(value, ca_bundle=self.postgres.ca_bundle)

    def alter(self, user: str, change: str) -> None:
        self.server.run(f"ALTER ROLE {identifier(user)} {change}")

    def settings(self, user: str) -> set[tuple[str, ...]]:
        rows = self.server.run(
            "SELECT coalesce(datname, ''), unnest(setconfig) FROM pg_db_role_setting"
            " JOIN pg_roles r ON r.oid = setrole LEFT JOIN pg_database d ON d.oid = setdatabase"
            " WHERE rolname = :user",
            user=user,
        )
        return {tuple(row) for row in rows or []}


@pytest.fixture
def world(  # noqa: PLR0913, PLR0917 (its parts)
    aws: EmbeddedAws,
    postgres: PostgreSQL,
    server: Connection,
    admin: Value,
    idle_function: str,
    prefix: str,
    role_client: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    made = World(aws, postgres, server, admin, idle_function, prefix, monkeypatch)
    connect = postgres_client.connect
    monkeypatch.setattr(boto3, "client", lambda _, **__: Watched(made.crashes, role_client))
    monkeypatch.setattr(
        rotation_postgres,
        "connect",
        lambda value, **options: Watched(made.crashes, made.crashes(connect, value, **options)),
    )
    return made


def secret_of(value: Mapping[str, Any]) -> str:
    return str(value.get("key") or value["password"])


def refused(rotated: Rotated, step: str, match: str, **event: str) -> None:
    """Take the step, which refuses, tells no value, and loses nothing."""
    with pytest.raises(rotation_engine.RotationError, match=match) as refusal:
        rotated.step(step, **event)
    values = [rotated.value(stage) for stage in ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")]
    for value in (rotated.first, rotated.world.admin, *filter(None, values)):
        assert secret_of(value) not in told(refusal.value)


def set_password(world: World, value: Value) -> None:
    verifier = postgres_client.scram_verifier(value["password"])
    world.server.run(f"ALTER ROLE {identifier(value['username'])} PASSWORD {literal(verifier)}")


def breaks_off(*_: object, **__: object) -> None:
    raise InterfaceError("network error")


@contextlib.contextmanager
def access(world: World, rule: str) -> Iterator[None]:
    """Put a rule before those of the server's pg_hba.conf."""
    ((path,),) = world.server.run("SHOW hba_file")
    rules = Path(path).read_text(encoding="utf-8")

    def load(text: str) -> None:
        Path(path).write_text(text, encoding="utf-8")
        so_far = len(world.postgres.log())
        world.server.run("SELECT pg_reload_conf()")
        while "reloading configuration files" not in world.postgres.log()[so_far:]:
            time.sleep(0.01)

    load(f"{rule}\n{rules}")
    try:
        yield
    finally:
        load(rules)


def at_once(*calls: Callable[[], object]) -> list[Exception | None]:
    """Make the calls at the same time, and return what each raised, in their order."""
    barrier = threading.Barrier(len(calls))

    def outcome(call: Callable[[], object]) -> Exception | None:
        barrier.wait()
        try:
            call()
        except Exception as error:  # noqa: BLE001 (whatever it is, the test shows it)
            return error
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))
