"""The four steps, in this process, of every strategy: on the embedded AWS and a real PostgreSQL.

The secret's own function does nothing but fail, so that a rotation stays at its beginning: a
version with AWSPENDING and no value. The steps are then taken by the handler that is deployed,
with the credentials of a role, and of an admin of the database that is no superuser.

"Nothing is lost" means, after whatever happened: AWSCURRENT works; for a single user, whose one
password has to change before AWSCURRENT can move, AWSCURRENT or AWSPENDING does.
"""

import contextlib
import io
import itertools
import json
import re
import string
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import boto3
import pytest
from pg8000.native import Connection, InterfaceError, identifier, literal

import postgres as postgres_client
import rotation
import rotation_engine
import rotation_postgres
from local.aws import EmbeddedAws
from local.databases.postgres import PostgreSQL
from tests.scripted import bound_port, told

REGION = "us-east-1"
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
STRATEGIES = ("random", "singleUser", "alternatingUsers")
ON_SERVER = STRATEGIES[1:]
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
RULES = {"length": 40, "excludePunctuation": True}

Value = dict[str, Any]

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)
on_the_server = pytest.mark.parametrize("strategy", ON_SERVER)


# --- the world -----------------------------------------------------------------------------------


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
    """An object whose methods are called through `Crashes`."""

    def __init__(self, crashes: Crashes, watched: Any) -> None:
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

    def __init__(  # noqa: PLR0913, PLR0917 - its parts
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
def world(  # noqa: PLR0913, PLR0917 - its parts
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


# --- a rotation ----------------------------------------------------------------------------------


@every_strategy
def test_a_rotation_makes_a_new_value_that_works(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps()
    rotated.assert_rotated(rotated.first)


@every_strategy
def test_every_rotation_follows_the_one_before(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    for _ in range(3):
        before = rotated.current()
        rotated.steps()
        rotated.assert_rotated(before)
        rotated.begin()


@every_strategy
def test_every_step_may_be_repeated(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    for step in STEPS:
        rotated.steps(step, step)
    rotated.assert_rotated(rotated.first)
    rotated.steps()  # all of it is done
    rotated.assert_rotated(rotated.first)


# --- crashes -------------------------------------------------------------------------------------


without_and_with_effect = pytest.mark.parametrize(
    "after",
    [
        pytest.param(False, id="before", marks=pytest.mark.exhaustive),
        pytest.param(True, id="after"),
    ],
)


@without_and_with_effect
@pytest.mark.parametrize(
    "strategy",
    ["random", "singleUser", pytest.param("alternatingUsers", marks=pytest.mark.exhaustive)],
)
def test_nothing_is_lost_by_a_crash_at_any_call(
    world: World, strategy: str, *, after: bool
) -> None:
    """Two users change places each time; the test below is for the turn of the clone alone."""
    rotated = Rotated(world, strategy)
    for call in itertools.count(1):
        if not rotate_with_crashes(rotated, call, after=after):
            break
    assert call > 5  # so many calls has the shortest of the longest steps


@pytest.mark.exhaustive
@without_and_with_effect
def test_nothing_is_lost_by_a_crash_while_the_clone_is_made(world: World, *, after: bool) -> None:
    for call in itertools.count(1):
        rotated = Rotated(world, "alternatingUsers")
        original = rotated.first["username"]
        world.server.run(f"ALTER ROLE {identifier(original)} SET work_mem = '8MB'")
        crashed = rotate_with_crashes(rotated, call, after=after)
        clone = rotated.current()["username"]
        assert world.settings(clone) == {("", "work_mem=8MB"), ("", f"role={original}")}
        if not crashed:
            break
    assert call > 15


def rotate_with_crashes(rotated: Rotated, call: int, *, after: bool) -> list[str]:
    """Rotate, with a crash at the n-th call of each step; return the steps that have so many.

    What a crash before a call leaves behind, a crash after the one before does. The first is
    resumed by the step itself, the other from the first step on.
    """
    before = rotated.current()
    crashed = []
    for step in STEPS:
        rotated.world.crashes.arm(call, after=after)
        try:
            rotated.step(step)
        except Crash:
            crashed.append(step)
            rotated.assert_nothing_is_lost()
            rotated.steps(*(STEPS[: STEPS.index(step) + 1] if after else (step,)))
    rotated.world.crashes.arm(0, after=False)
    rotated.assert_rotated(before)
    rotated.begin()
    return crashed


# --- repetitions at the same time ----------------------------------------------------------------


@every_strategy
def test_every_step_may_run_many_times_at_once(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    for _ in range(2):
        before = rotated.current()
        for step in STEPS:
            assert at_once(rotated, step) == [None] * 6
            rotated.assert_nothing_is_lost()
        rotated.assert_rotated(before)
        rotated.begin()


def at_once(rotated: Rotated, step: str, times: int = 6) -> list[Exception | None]:
    barrier = threading.Barrier(times)
    outcomes: list[Exception | None] = []

    def run() -> None:
        barrier.wait()
        try:
            rotated.step(step)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            outcomes.append(error)
        else:
            outcomes.append(None)

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


# --- what is checked first -----------------------------------------------------------------------


def secret_of(value: Mapping[str, Any]) -> str:
    return str(value.get("key") or value["password"])


def refused(rotated: Rotated, step: str, match: str, **event: str) -> None:
    """Take the step, which refuses, tells no value, and loses nothing."""
    with pytest.raises(rotation_engine.RotationError, match=match) as refusal:
        rotated.step(step, **event)
    values = [rotated.value(stage) for stage in ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")]
    for value in (rotated.first, rotated.world.admin, *filter(None, values)):
        assert secret_of(value) not in told(refusal.value)


@every_strategy
def test_a_token_that_is_current_already_is_done(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.token = rotated.put(rotated.first)
    rotated.steps()
    assert rotated.version() == rotated.token
    assert rotated.value() == rotated.first
    assert rotated.works(rotated.first)


@every_strategy
def test_a_token_that_is_unknown_is_refused(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    for step in STEPS:
        refused(rotated, step, "not AWSPENDING", ClientRequestToken=str(uuid.uuid4()))
    assert rotated.works(rotated.first)


@every_strategy
def test_a_version_without_the_pending_label_is_refused(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    label = world.secrets.update_secret_version_stage
    label(SecretId=rotated.arn, VersionStage="ELSE", MoveToVersionId=rotated.token)
    label(SecretId=rotated.arn, VersionStage="AWSPENDING", RemoveFromVersionId=rotated.token)
    for step in STEPS:
        refused(rotated, step, "not AWSPENDING")
    assert rotated.works(rotated.first)


@every_strategy
def test_a_secret_without_rotation_is_refused(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps(*STEPS[:3])
    world.secrets.cancel_rotate_secret(SecretId=rotated.arn)
    refused(rotated, "finishSecret", "rotation is not enabled")
    rotated.assert_nothing_is_lost()


def test_another_secret_and_another_step_are_refused(world: World) -> None:
    rotated, other = Rotated(world, "random"), Rotated(world, "random")
    refused(rotated, "createSecret", "not the secret that this", SecretId=other.arn)
    refused(rotated, "dropSecret", "no step of a rotation")


@pytest.mark.parametrize("step", ["setSecret", "finishSecret"])
@every_strategy
def test_a_step_before_there_is_a_value_is_refused(world: World, strategy: str, step: str) -> None:
    rotated = Rotated(world, strategy)
    refused(rotated, step, "no value.*take AWSPENDING off")
    rotated.steps()
    rotated.assert_rotated(rotated.first)


@every_strategy
def test_not_now_tests_the_value_that_is_current(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.step("testSecret")
    rotated.put({**rotated.first, rotated.field: ""})
    rotated.begin()
    with pytest.raises(rotation_engine.RotationError):
        rotated.step("testSecret")


@every_strategy
def test_a_new_text_is_made_by_the_rules_of_the_secret(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps()
    made = rotated.current()
    assert len(made[rotated.field]) == 40
    assert set(made[rotated.field]) <= set(string.ascii_letters + string.digits)


def test_a_value_that_is_no_json_object_is_refused(world: World) -> None:
    rotated = Rotated(world, "random")
    world.secrets.put_secret_value(SecretId=rotated.arn, SecretString="s3cr3t-text")
    rotated.begin()
    with pytest.raises(rotation_engine.RotationError, match="no JSON object") as refusal:
        rotated.step("createSecret")
    assert "s3cr3t-text" not in told(refusal.value)


# --- a value that is changed by hand -------------------------------------------------------------


at_every_step = pytest.mark.parametrize(
    "at",
    [
        pytest.param(1, marks=pytest.mark.exhaustive),
        2,
        pytest.param(3, marks=pytest.mark.exhaustive),
    ],
    ids=STEPS[1:],
)


@at_every_step
@every_strategy
def test_a_value_put_by_hand_stays_and_the_next_rotation_goes_well(
    world: World, strategy: str, at: int
) -> None:
    """Secrets Manager takes AWSPENDING off then, also where it is what the server accepts."""
    rotated = Rotated(world, strategy)
    rotated.steps(*STEPS[:at])
    by_hand = {**rotated.first, "note": "by hand"}
    rotated.put(by_hand)
    refused(rotated, STEPS[at], "not AWSPENDING")
    assert rotated.value() == by_hand
    rotated.begin()
    rotated.steps()
    rotated.assert_rotated(by_hand)


@at_every_step
@every_strategy
def test_a_value_made_current_by_its_label_stays_while_it_works(
    world: World, strategy: str, at: int
) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps(*STEPS[:at])
    by_hand = {**rotated.first, "note": "by hand"}
    rotated.put(by_hand, announced=False)
    if strategy == "singleUser" and at > 1:  # the password is changed: AWSPENDING alone works
        rotated.steps(*STEPS[at:])
        assert rotated.version() == rotated.token
    else:
        if STEPS[at] == "testSecret":
            rotated.step("testSecret")
        refused(
            rotated,
            "setSecret" if at == 1 else "finishSecret",
            "changed during.*rotate the secret again$",
        )
        assert rotated.value() == by_hand
        assert rotated.value("AWSPENDING") is None
        rotated.begin()
        rotated.steps()
        rotated.assert_rotated(by_hand)
    assert rotated.works(rotated.value())


@on_the_server
def test_a_password_changed_by_hand_in_database_and_secret_is_kept_or_rotated(
    world: World, strategy: str
) -> None:
    rotated = Rotated(world, strategy)
    rotated.step("createSecret")
    by_hand = {**rotated.first, "password": uuid.uuid4().hex}
    set_password(world, by_hand)
    rotated.put(by_hand, announced=False)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(by_hand)


def test_a_password_changed_by_hand_does_not_stop_the_turn_of_its_user(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    before = rotated.current()
    rotated.begin()
    set_password(world, {**rotated.first, "password": uuid.uuid4().hex})
    rotated.steps(*STEPS)
    value = rotated.current()
    assert value["username"] == rotated.first["username"]
    assert rotated.works(value)
    assert rotated.works(before)


def test_a_single_user_whose_password_nobody_knows_is_left_alone(world: World) -> None:
    rotated = Rotated(world, "singleUser")
    rotated.step("createSecret")
    unknown = {**rotated.first, "password": uuid.uuid4().hex}
    set_password(world, unknown)
    refused(rotated, "setSecret", "refuses every password.* 28P01.*take AWSPENDING off")
    assert rotated.works(unknown)
    set_password(world, rotated.first)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_a_user_that_may_not_log_in_is_told_so_and_no_password_is_changed(world: World) -> None:
    rotated = Rotated(world, "singleUser")
    rotated.step("createSecret")
    world.alter(rotated.first["username"], "NOLOGIN")
    refused(rotated, "setSecret", r"^app_\S+ at \S+: .*may not log in .*28000")
    world.alter(rotated.first["username"], "LOGIN")
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_a_single_user_is_saved_by_making_current_what_is_pending(world: World) -> None:
    rotated = Rotated(world, "singleUser")
    rotated.steps("createSecret", "setSecret")
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(Connection, "run", breaks_off)
        refused(rotated, "testSecret", "move AWSCURRENT to that version")
    world.secrets.update_secret_version_stage(
        SecretId=rotated.arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=rotated.token,
        RemoveFromVersionId=rotated.version(),
    )
    before = rotated.current()
    assert rotated.works(before)
    rotated.begin()
    rotated.steps()
    rotated.assert_rotated(before)


def set_password(world: World, value: Value) -> None:
    verifier = postgres_client.scram_verifier(value["password"])
    world.server.run(f"ALTER ROLE {identifier(value['username'])} PASSWORD {literal(verifier)}")


# --- servers, admins, clones ---------------------------------------------------------------------


def needs_grant_options(world: World) -> None:
    """Before PostgreSQL 16, CREATEROLE grants every role, and every grant is whole."""
    ((version,),) = world.server.run("SELECT current_setting('server_version_num')::int")
    if version < 160_000:
        pytest.skip("this PostgreSQL knows no options of a grant")


@on_the_server
def test_a_database_that_does_not_answer_is_waited_for(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.step("createSecret")
    connect = postgres_client.connect
    with bound_port() as nobody, pytest.MonkeyPatch.context() as unplugged:
        port = nobody.getsockname()[1]
        unplugged.setattr(
            rotation_postgres,
            "connect",
            lambda value, **options: connect({**value, "port": port}, **options),
        )
        refused(rotated, "setSecret", "does not answer")
        refused(rotated, "testSecret", "does not answer")
    rotated.assert_nothing_is_lost()
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


@on_the_server
def test_a_connection_that_breaks_off_is_told_without_the_value(
    world: World, strategy: str
) -> None:
    rotated = Rotated(world, strategy)
    rotated.step("createSecret")
    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(Connection, "run", breaks_off)
        refused(rotated, "setSecret", "network error")
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def breaks_off(*_: object, **__: object) -> None:
    raise InterfaceError("network error")


@on_the_server
def test_a_test_reads_as_the_user_that_is_pending(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy)
    rotated.steps("createSecret", "setSecret")
    user, so_far = rotated.current("AWSPENDING")["username"], len(world.postgres.log())
    rotated.step("testSecret")
    log = world.postgres.log()[so_far:]
    (process,) = re.findall(rf"(\[\d+\]) LOG:  connection authorized: user={user} ", log)
    assert re.search(
        rf"{re.escape(process)} LOG:  statement: SELECT current_user$", log, re.MULTILINE
    )


@pytest.mark.parametrize("strategy", ON_SERVER)
def test_settings_of_users_neither_stop_nor_lead_astray_a_rotation(
    world: World, strategy: str
) -> None:
    admin, rotated = world.make_admin(), Rotated(world, strategy)
    original, schema = rotated.first["username"], f"{admin}_schema"
    settings = {
        "default_transaction_read_only": "on",
        "idle_in_transaction_session_timeout": "1",
        "lock_timeout": "100",
        "standard_conforming_strings": "off",
        "statement_timeout": "100",
        "transaction_timeout": "100",
    }
    for name, value in settings.items():
        if world.server.run("SELECT current_setting(:name, true)", name=name) != [[None]]:
            for user in (admin, original):
                world.alter(user, f"SET {name} = {value}")
    world.alter(original, r"SET application_name = 'back\slash'")
    world.server.run(f"CREATE SCHEMA {schema}")
    world.server.run(
        f"CREATE FUNCTION {schema}.split_part(text, text, int) RETURNS text LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'led astray'; END $$"
    )
    world.server.run(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC")
    world.alter(admin, f"SET search_path = {schema}, pg_catalog")
    for _ in range(2):
        before = rotated.current()
        rotated.step("createSecret")
        user = rotated.current("AWSPENDING")["username"]
        with changes_of_roles_waiting(world.postgres, 0.3):
            rotated.step("setSecret")
        rotated.steps("testSecret", "finishSecret")
        rotated.assert_rotated(before)
        assert ("", r"application_name=back\slash") in world.settings(user)
        rotated.begin()


@contextlib.contextmanager
def changes_of_roles_waiting(postgres: PostgreSQL, seconds: float) -> Iterator[None]:
    """Let nobody change a role for a while; logins go on."""
    with postgres.connect() as connection:
        connection.run("START TRANSACTION")
        connection.run("LOCK TABLE pg_authid IN SHARE MODE")
        release, begun = threading.Timer(seconds, connection.run, ["COMMIT"]), time.monotonic()
        release.start()
        try:
            yield
        finally:
            waited = time.monotonic() - begun
            release.join()
    assert waited >= seconds


def test_a_database_that_is_not_there_is_told_in_words(world: World) -> None:
    rotated = Rotated(world, "singleUser", dbname="nowhere")
    rotated.step("createSecret")
    refused(rotated, "setSecret", "no database of the name .*3D000.*take AWSPENDING off")


def test_an_admin_of_another_server_is_sent_nothing(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    with bound_port() as listener:
        listener.listen()
        listener.settimeout(0)
        elsewhere = {**world.address, **world.admin, "port": listener.getsockname()[1]}
        world.put_admin(elsewhere)
        refused(rotated, "setSecret", "another host or port")
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("field", ["password", "username"])
def test_a_wrong_admin_changes_nothing(world: World, field: str) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    world.put_admin({**world.address, **world.admin, field: "wrong"})
    refused(rotated, "setSecret", "SQLSTATE 28P01")
    assert rotated.works(rotated.first)
    world.put_admin({**world.address, **world.admin})
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_an_admin_that_is_being_rotated_itself_works_by_what_is_pending(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    right = {**world.address, **world.admin}
    gone = {**right, "password": "gone"}
    world.put_admin(gone, {**gone, "password": "not yet"})
    refused(rotated, "setSecret", f"{right['username']} at .* 28P01")
    world.put_admin(gone, right)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_an_admin_secret_without_a_value_is_told(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    world.put_admin(None)
    refused(rotated, "setSecret", "-admin-.*: it has no value; put one")


def test_an_admin_without_the_right_is_told_which(world: World) -> None:
    needs_grant_options(world)
    rotated = Rotated(world, "alternatingUsers")
    user, admin = (identifier(v["username"]) for v in (rotated.first, world.admin))
    world.server.run(f"REVOKE {user} FROM {admin}")
    rotated.step("createSecret")
    refused(rotated, "setSecret", "ADMIN option")
    world.server.run(f"GRANT {user} TO {admin} WITH ADMIN OPTION")
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_the_admin_is_no_user_of_the_secret(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers", alternateUsername=world.admin["username"])
    rotated.step("createSecret")
    refused(rotated, "setSecret", "is the admin")
    assert rotated.works({**world.address, **world.admin})


def test_a_role_that_is_no_clone_is_left_alone(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    foreign = {**rotated.first, "username": f"{rotated.first['username']}_clone"}
    make_user(world.server, foreign)
    rotated.step("createSecret")
    refused(rotated, "setSecret", "is no member of")
    assert rotated.works(foreign)
    assert rotated.works(rotated.first)


def test_a_clone_that_was_made_in_part_is_completed(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    clone = {**rotated.first, "username": f"{rotated.first['username']}_clone"}
    make_user(world.server, clone)
    names = [identifier(value["username"]) for value in (rotated.first, clone, world.admin)]
    world.server.run(f"GRANT {names[0]} TO {names[1]}")
    world.server.run(f"GRANT {names[1]} TO {names[2]} WITH ADMIN OPTION")
    rotated.steps()
    rotated.assert_rotated(rotated.first)


def test_a_clone_that_is_granted_something_itself_goes_on_alternating(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    clone = identifier(rotated.current()["username"])
    world.server.run(f"GRANT pg_read_all_data TO {clone}")
    world.server.run(f"GRANT CREATE ON DATABASE postgres TO {clone}")
    set_password(world, {**rotated.first, "password": uuid.uuid4().hex})  # the clone alone logs in
    for _ in range(2):
        before = rotated.current()
        rotated.begin()
        rotated.steps()
        rotated.assert_rotated(before)


def test_a_user_that_is_a_member_of_other_roles_is_rotated(world: World) -> None:
    rotated, other = Rotated(world, "alternatingUsers"), Rotated(world, "random")
    user, group = rotated.first["username"], f"group_{other.token[:8]}"
    world.server.run(f"CREATE ROLE {group}")
    for role in (group, "pg_monitor", "pg_read_all_data"):
        world.server.run(f"GRANT {role} TO {identifier(user)}")
    for _ in range(2):
        before = rotated.current()
        rotated.steps()
        rotated.assert_rotated(before)
        rotated.begin()


def test_two_users_of_any_names_alternate_when_a_value_of_each_logs_in(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    first = rotated.first["username"]
    second = {**rotated.first, "username": f"second_{first}", "alternateUsername": first}
    make_user(world.server, second)
    names = [identifier(name) for name in (first, second["username"], world.admin["username"])]
    world.server.run(f"GRANT {names[0]} TO {names[1]}")
    world.server.run(f"GRANT {names[1]} TO {names[2]} WITH ADMIN OPTION")
    rotated.put(rotated.first | {"alternateUsername": second["username"]})
    rotated.begin()
    rotated.step("createSecret")
    refused(rotated, "setSecret", f"logs in as {second['username']}; .*; put a value of each")
    rotated.put(second)
    rotated.put(rotated.first | {"alternateUsername": second["username"]})
    for _ in range(2):
        rotated.begin()
        before = rotated.current()
        rotated.steps()
        rotated.assert_rotated(before)


def test_the_value_of_before_proves_whose_the_users_are_when_the_current_one_fails(
    world: World,
) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    before = rotated.current()
    rotated.begin()
    set_password(world, {**before, "password": uuid.uuid4().hex})
    rotated.steps()
    assert rotated.version() == rotated.token
    assert rotated.works(rotated.current())


def test_users_that_no_value_logs_in_as_are_left_alone_until_one_does(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    before = rotated.current()
    rotated.begin()
    unknown = [{**value, "password": uuid.uuid4().hex} for value in (before, rotated.first)]
    for value in unknown:
        set_password(world, value)
    rotated.step("createSecret")
    refused(rotated, "setSecret", "neither AWSCURRENT nor AWSPREVIOUS .* setting its password in")
    assert all(rotated.works(value) for value in unknown)
    set_password(world, before)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(before)


def test_a_clone_that_logs_in_without_its_role_gets_it_again(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps("createSecret", "setSecret")
    value = rotated.current("AWSPENDING")
    world.server.run(f"ALTER ROLE {identifier(value['username'])} RESET ALL")
    assert not rotated.acts_as_the_original(value)
    rotated.steps(*STEPS[1:])
    rotated.assert_rotated(rotated.first)


def test_a_clone_that_may_not_act_as_its_original_is_no_success(world: World) -> None:
    needs_grant_options(world)
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps("createSecret", "setSecret")
    value = rotated.current("AWSPENDING")
    original, clone = (identifier(v["username"]) for v in (rotated.first, value))
    world.server.run(
        f"REVOKE {original} FROM {clone} GRANTED BY {identifier(world.admin['username'])}"
    )
    world.server.run(f"GRANT {original} TO {clone} WITH SET FALSE")
    refused(rotated, "setSecret", "WITH INHERIT TRUE, SET TRUE")


def test_what_a_clone_makes_belongs_to_the_original(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    value = rotated.current()
    name = rotated.first["username"]
    world.server.run(f"CREATE SCHEMA {identifier(name)} AUTHORIZATION {identifier(name)}")
    for statement in ("CREATE TABLE made (a int)", "ALTER TABLE made ADD b int"):
        with world.log_in(value) as connection:  # as the clone
            connection.run(statement)
            session = connection.run("SELECT session_user, current_setting('is_superuser')")
            assert session == [[value["username"], "off"]]
    with world.log_in(rotated.first) as connection:
        connection.run("ALTER TABLE made ADD c int")
        owner = connection.run("SELECT tableowner FROM pg_tables WHERE tablename = 'made'")
    assert owner == [[name]]


def test_a_clone_has_the_settings_of_the_original_and_follows_them(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    original = rotated.first["username"]
    alter = f"ALTER ROLE {identifier(original)}"
    world.server.run(f"{alter} SET search_path = 'it''s', \"$user\", public")
    world.server.run(f"{alter} IN DATABASE template1 SET \"TimeZone\" = 'Europe/Berlin'")
    rotated.steps()
    value = rotated.current()
    clone, role_setting = value["username"], ("", f"role={original}")
    assert world.settings(clone) == world.settings(original) | {role_setting}
    assert len(world.settings(clone)) == 3

    world.server.run(f"{alter} RESET ALL")
    world.server.run(f"{alter} IN DATABASE template1 RESET ALL")
    world.server.run(f"{alter} SET work_mem = '8MB'")
    for _ in range(2):
        rotated.begin()
        rotated.steps()
    assert world.settings(original) == {("", "work_mem=8MB")}
    assert world.settings(clone) == {("", "work_mem=8MB"), role_setting}


def test_what_only_a_superuser_may_set_is_left_out_and_told(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    rotated = Rotated(world, "alternatingUsers")
    original = rotated.first["username"]
    for change in (
        "log_min_duration_statement = 1000",
        "\"app.tenant\" = 'x'",
        "work_mem = '8MB'",
    ):
        world.alter(original, f"SET {change}")
    rotated.steps()
    rotated.assert_rotated(rotated.first)
    clone, told = rotated.current()["username"], capsys.readouterr().out.splitlines()
    assert world.settings(clone) == {("", "work_mem=8MB"), ("", f"role={original}")}
    (warning,) = (line for line in map(json.loads, told) if line["level"] == "WARNING")
    assert warning["role"] == clone
    assert set(warning["settings"]) == {"log_min_duration_statement", "app.tenant"}


def test_a_clone_is_limited_and_expires_as_its_original(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    original, clone = (f"{rotated.first['username']}{suffix}" for suffix in ("", "_clone"))
    for limit, until in (("7", "2100-01-02 03:04:05+00"), ("-1", "infinity")):
        world.alter(original, f"CONNECTION LIMIT {limit} VALID UNTIL '{until}'")
        for _ in range(2):  # the second is the original's turn, or the first was
            rotated.steps()
            rotated.begin()
        rows = world.server.run(
            "SELECT rolconnlimit, coalesce(rolvaliduntil, 'infinity') = :until ::timestamptz"
            " FROM pg_roles WHERE rolname IN (:original, :clone)",
            until=until,
            original=original,
            clone=clone,
        )
        assert rows == [[int(limit), True]] * 2


def test_an_original_that_has_expired_is_told(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.step("createSecret")
    world.alter(rotated.first["username"], "VALID UNTIL '2000-01-01'")
    refused(rotated, "setSecret", rf"said last: {rotated.first['username']} at .* has expired")


def test_a_clone_acts_as_the_owner_that_the_original_acts_as(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    name = rotated.first["username"]
    owner = f"owner_{name}"
    world.server.run(f"CREATE ROLE {identifier(owner)}")
    world.server.run(f"GRANT {identifier(owner)} TO {identifier(name)}")
    world.server.run(f"ALTER ROLE {identifier(name)} SET role = {literal(owner)}")
    for _ in range(3):
        rotated.steps()
        value = rotated.current()
        with world.log_in(value) as connection:
            assert connection.run("SELECT current_user") == [[owner]]
        rotated.begin()


def test_one_of_two_users_may_go_on_alone(world: World) -> None:
    rotated = Rotated(world, "alternatingUsers")
    rotated.steps()
    rotated.begin()
    rotated.strategy = "singleUser"  # the config says another now; the clone is current
    before = rotated.current()
    rotated.steps()
    rotated.assert_rotated(before)
    assert rotated.works(rotated.first)


def test_a_second_user_may_join_while_one_is_pending(world: World) -> None:
    rotated = Rotated(world, "singleUser")
    rotated.steps("createSecret", "setSecret")
    rotated.strategy = "alternatingUsers"  # the config says another now
    rotated.steps(*STEPS[1:])
    rotated.strategy = "singleUser"
    rotated.assert_rotated(rotated.first)
    rotated.strategy = "alternatingUsers"
    engine = rotation_postgres.AlternatingUsers(frozenset({"password"}), list, list)
    with pytest.raises(rotation_engine.RotationError, match="28P01"):
        engine.set(rotated.first)
    before = rotated.current()
    rotated.begin()
    rotated.steps()
    rotated.assert_rotated(before)


# --- names and passwords -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["x", "ü", "'\"\\ :$;--", "\U00020000"],
    ids=["latin", "two bytes", "punctuation", "four bytes"],
)
@on_the_server
def test_user_names_of_63_bytes_are_rotated(world: World, strategy: str, name: str) -> None:
    unique = uuid.uuid4().hex[:8]
    times, left = divmod(63 - len(unique), len(name.encode()))
    username = unique + "_" * left + name * times
    assert len(username.encode()) == 63
    rotated = Rotated(world, strategy, username=username)
    for _ in range(2):
        before = rotated.current()
        rotated.steps()
        rotated.assert_rotated(before)
        rotated.begin()


@on_the_server
def test_a_password_with_every_printable_character_is_rotated(world: World, strategy: str) -> None:
    rotated = Rotated(world, strategy, password=PRINTABLE)
    rotated.steps()
    rotated.assert_rotated(rotated.first)
    before = rotated.current()
    rotated.begin()
    following = {**before, "password": PRINTABLE[::-1]}
    if strategy == "alternatingUsers":
        following["username"], following["alternateUsername"] = (
            before["alternateUsername"],
            before["username"],
        )
    world.secrets.put_secret_value(
        SecretId=rotated.arn,
        ClientRequestToken=rotated.token,
        SecretString=json.dumps(following),
        VersionStages=["AWSPENDING"],
    )
    rotated.steps()
    rotated.assert_rotated(before)
    assert rotated.value() == following


@every_strategy
def test_no_value_is_told_to_any_log(
    world: World, strategy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rotated = Rotated(world, strategy)
    values = [rotated.first]
    for _ in range(2):
        rotated.steps()
        values.append(rotated.current())
        rotated.begin()
    output = capsys.readouterr()
    logs = output.out + output.err + world.postgres.log()
    assert "setSecret" in logs
    assert strategy == "random" or "SCRAM-SHA-256$" in logs  # statements are logged
    for value in (*values, world.admin):
        assert secret_of(value) not in logs
