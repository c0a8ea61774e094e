"""Deploys a stack to the embedded AWS, and reads what was deployed."""

import contextlib
import io
import json
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from infra.config import functions
from infra.config.schema import Settings
from infra.names import Names
from local import external_resources, native_code, networks
from local.aws import ACCOUNT_ID, ADMIN_ARN, EmbeddedAws
from local.config import settings
from local.config.project import Stack, placeholder
from local.databases import stack as databases
from local.databases.postgres import PostgreSQL
from local.engines.built_in import BuiltInEngine, Preview
from local.engines.pulumi_engine import PulumiEngine
from local.engines.record import CreatedResource, Record
from local.functions import Function
from local.provider.archive import package
from local.provider.provider import Provider

ALARM_PERIOD_SECONDS = 10
_ACCOUNTS = "aws:allowedAccountIds"
SEEDING = "aws:lambda/invocation:Invocation"
"""Type of the resource that calls the seeder, which writes initial values, once per secret."""
# Fields of a database's secret that are not secret: where to log in, and as which user.
_NOT_SECRET = {"host", "database_host", "dbname", "database_name", "username", "alternateUsername"}
_NOT_SECRET |= {"port", "engine"}

OnCreated = Callable[[CreatedResource], None]


@dataclass(frozen=True)
class Deployment:
    """One stack in the embedded AWS."""

    aws: EmbeddedAws
    stack: Stack
    record: Record
    placeholders: tuple[str, ...]
    """Logical names of the secrets that hold a placeholder instead of an operator's value."""
    server: PostgreSQL | None
    """The server of the stack's databases, if it has any."""
    pulumi: PulumiEngine | None = None
    """Pulumi's own engine, if it deployed the stack."""

    @property
    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return self.record.outputs

    def client(self, service: str) -> Any:  # noqa: ANN401 (boto3 makes its classes at run time)
        """Return the administrator's client in the stack's region."""
        return self.aws.client(service, self.stack.region)

    @cached_property
    def settings(self) -> Settings:
        """The stack's config."""
        return settings.read(self.stack)

    @property
    def names(self) -> Names:
        """The naming scheme of the stack's secrets and parameters."""
        return Names(self.stack.project, self.stack.name)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The stack's functions by logical name; a program may export none."""
        config, root = functions.functions(self.settings), self.stack.program.parent
        return {
            name: Function(config[name], outputs, root, self.client)
            for name, outputs in self.outputs.get("functions", {}).items()
        }

    @property
    def secret_arns(self) -> dict[str, str]:
        """Logical name -> ARN of every secret, including those that existed before the stack."""
        existing = self.settings.existing_secrets.items()
        return {
            **self.outputs["secret_arns"],
            **{name: secret.existing for name, secret in existing if secret.existing},
        }

    def secret_text(self, secret_id: str) -> str:
        """Read a secret as the administrator, by ARN, or by name in the stack's region."""
        return _text(self.aws, secret_id, self.stack.region)

    @property
    def rotating(self) -> tuple[str, ...]:
        """Logical names of the secrets that rotate."""
        return tuple(self.outputs["rotation_function_arns"])

    @property
    def administrators(self) -> tuple[str, ...]:
        """Logical names of the secrets that only rotation logs in with."""
        return tuple(sorted(self.settings.admin_secrets))

    def sessions(self, name: str, *, end: bool = False) -> int:
        """Count the database sessions of a secret's users; with `end`, terminate them."""
        value = json.loads(self.secret_text(self.outputs["secret_arns"][name]))
        users = [value[key] for key in ("username", "alternateUsername") if key in value]
        if self.server is None or not users:
            return 0
        sessions = self.server.run(
            "SELECT CASE WHEN :end THEN pg_terminate_backend(pid) END"
            " FROM pg_stat_activity WHERE usename = ANY(:users)",
            end=end,
            users=users,
        )
        return len(sessions)

    @property
    def canaries(self) -> frozenset[str]:
        """Every secret value: all values except plain fields and addresses."""
        plain = {
            seed["SecretId"]: seed["Fields"].keys()
            for seed in map(json.loads, self._inputs(SEEDING, "input"))
            if "SecretId" in seed
        }
        canaries: set[str] = set()
        for name in self.outputs["parameter_arns"]:
            read = self.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
            if read["Type"] == "SecureString":
                canaries.add(read["Value"])
        for arn in self.secret_arns.values():
            text = self.secret_text(arn)
            try:
                value = json.loads(text)
            except ValueError:
                value = text
            shown = _NOT_SECRET | plain.get(arn, set())
            if isinstance(value, dict):
                value = [each for field, each in value.items() if field not in shown]
            canaries |= set(_leaves(value))
        return frozenset(canaries)

    def package_contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and content of every file in every function package."""
        for each in self.record.resources:
            if each.type == "aws:lambda/function:Function":
                with zipfile.ZipFile(io.BytesIO(package(each.inputs["code"]))) as packed:
                    for name in packed.namelist():
                        yield name, packed.read(name)

    def log_lines(self, *groups: str) -> list[str]:
        """Return every line in these log groups; without any, in every log group of the stack."""
        logs = self.client("logs")
        lines = []
        for group in groups or self._inputs("aws:cloudwatch/logGroup:LogGroup", "name"):
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
                lines += [event["message"] for event in page["events"]]
        return lines

    def _inputs(self, type_: str, key: str) -> list[str]:
        return [each.inputs[key] for each in self.record.resources if each.type == type_]


def _text(aws: EmbeddedAws, secret_id: str, region: str = "") -> str:
    region = secret_id.split(":")[3] if secret_id.startswith("arn:") else region
    answer = aws.client("secretsmanager", region).get_secret_value(SecretId=secret_id)
    return str(answer["SecretString"])


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def preview(stack: Stack) -> BuiltInEngine:
    """Run the program without creating anything: finds config errors and planned resources.

    Raises:
        SettingsError: the config has errors.

    """
    engine = BuiltInEngine(Preview())
    engine.run(with_local_config(stack))
    return engine


def deploy(
    stack: Stack,
    aws: EmbeddedAws,
    on_created: OnCreated | None = None,
    server: PostgreSQL | None = None,
    pulumi: PulumiEngine | None = None,
) -> Deployment:
    """Run the program and create everything, with the built-in engine unless `pulumi` is given.

    Does what an operator would do: secrets that are `from: external` get a generated placeholder,
    and the users of databases are created on `server`.

    Raises:
        SettingsError: the config has errors.
        DeploymentError: AWS rejected a resource.
        PulumiError: Pulumi's engine failed.

    """
    stack = with_local_config(stack)
    secrets = aws.client("secretsmanager", stack.region)
    operator = databases.Operator(server, stack) if server else None
    if operator:
        for name, secret in settings.read(stack).existing_secrets.items():
            operator.make(name, json.loads(_text(aws, str(secret.existing))))

    def created(resource: CreatedResource) -> None:
        event = json.loads(resource.inputs["input"]) if resource.type == SEEDING else {}
        if operator and "SecretId" in event:
            value = secrets.get_secret_value(SecretId=event["SecretId"])
            name = value["Name"].removeprefix(Names(stack.project, stack.name).secret_prefix)
            operator.make(name, json.loads(value["SecretString"]))
        if on_created:
            on_created(resource)

    record = (pulumi.deploy if pulumi else _built_in)(stack, aws, created)
    placeholders = []
    for name, arn in record.outputs["secret_arns"].items():
        if not secrets.describe_secret(SecretId=arn).get("VersionIdsToStages"):
            value = json.loads(placeholder())
            if operator:
                value |= operator.address(name)
                operator.make(name, value)
            secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(value))
            placeholders.append(name)
    placeholders += _put_missing_parameters(aws.client("ssm", stack.region), record.outputs)
    return Deployment(aws, stack, record, tuple(placeholders), server, pulumi)


def _put_missing_parameters(
    client: Any,  # noqa: ANN401 (boto3 makes its classes at run time)
    outputs: dict[str, Any],
) -> Iterator[str]:
    """Store a placeholder in each parameter that has no value; yield their names."""
    for name in outputs["parameter_arns"]:
        try:
            client.get_parameter(Name=name)
        except client.exceptions.ParameterNotFound:
            client.put_parameter(
                Name=name, Value=placeholder(), Type="SecureString", KeyId=outputs["key_arn"]
            )
            yield name


def _built_in(stack: Stack, aws: EmbeddedAws, created: OnCreated) -> Record:
    engine = BuiltInEngine(Provider(aws, stack.region), created)
    engine.run(stack)
    return record_of(engine)


def record_of(engine: BuiltInEngine) -> Record:
    """Return what the built-in engine created."""
    resources, messages = tuple(engine.registrations), tuple(engine.messages)
    return Record(resources, engine.outputs, engine.state(), messages)


class Account(NamedTuple):
    """An embedded AWS with everything that a stack needs before it is deployed."""

    aws: EmbeddedAws
    stack: Stack
    """With the ids of the local VPC and the address of the local database."""
    server: PostgreSQL | None
    """The server of the stack's databases, if it has any."""
    notes: list[str]
    """What was replaced: resources of others, and code that this machine cannot run."""


@contextlib.contextmanager
def account(
    stack: Stack, layers: Collection[str], port: int | None = None, *, with_databases: bool = True
) -> Iterator[Account]:
    """Start an embedded AWS, and a PostgreSQL if the stack has databases."""
    with contextlib.ExitStack() as running:
        server = None
        if with_databases and databases.login_secrets(stack):
            server = running.enter_context(PostgreSQL())
            stack = databases.with_local_database(stack, server)
        reachable = [server.port] if server else []
        layers = {*layers, *native_code.layer_arns(stack.region)}
        aws = running.enter_context(EmbeddedAws(port=port, layers=layers, reachable=reachable))
        stack, notes = external_resources.with_external_resources(stack, aws, server)
        stack, rebuilt = native_code.for_this_machine(stack, aws.interpreter_version)
        yield Account(aws, networks.with_local_vpc(stack, aws), server, [*notes, *rebuilt])


@contextlib.contextmanager
def running(stack: Stack) -> Iterator[Deployment]:
    """Deploy to a new account, for the time of a `with` block.

    Raises:
        SettingsError, DeploymentError: as `deploy` does.

    """
    with account(stack, layer_arns(preview(stack))) as started:
        yield deploy(started.stack, started.aws, server=started.server)


def with_local_config(stack: Stack) -> Stack:
    """Return the stack with the config that the embedded AWS needs.

    The local deployer becomes an administrator of its secrets, and there is no organization. The
    period of alarms is ten seconds, so that they fire and recover while a check waits. An existing
    secret without its own key can be read only in its account, so it is moved to this one. If only
    some accounts are allowed, it is the embedded one.
    """
    changed: dict[str, object] = {}
    if secrets := external_resources.secrets_in_this_account(stack):
        changed["secrets"] = secrets
    policy, monitoring = (stack.section(key) for key in ("resourcePolicy", "monitoring"))
    if policy.get("enabled"):
        administrators = dict.fromkeys([*policy.get("administrators", []), ADMIN_ARN])
        changed["resourcePolicy"] = {
            **policy,
            "administrators": list(administrators),
            "organizationId": None,
        }
    if monitoring.get("enabled"):
        changed["monitoring"] = {**monitoring, "periodSeconds": ALARM_PERIOD_SECONDS}
    config = dict(stack.config)
    if config.get(_ACCOUNTS):
        config[_ACCOUNTS] = json.dumps([ACCOUNT_ID])
    return replace(stack, config=config).changed(**changed)


def layer_arns(previewed: BuiltInEngine) -> set[str]:
    """Return the ARNs of the layers that the program attaches."""
    return {arn for each in previewed.registrations for arn in each.inputs.get("layers", ())}
