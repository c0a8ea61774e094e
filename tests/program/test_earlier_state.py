"""The program after an earlier deployment: what it refuses, asks AWS for, and calls again."""

import json
from dataclasses import replace
from typing import Any

import grpc  # type: ignore[import-untyped]
import pulumi
import pytest

from infra.config.settings import SettingsError
from infra.names import Names
from local.config.project import Stack
from local.engines.built_in import BuiltInEngine
from tests.recording import EXEMPTION, PROJECT, Recording, by_type, stack
from tests.states import CANARY, Resources, generated, key, parameter, secret, trail

DEV = Names(PROJECT, "dev")
SECRETS = {"database": {"from": "external"}}


class Account(Recording):
    """Has these parameters, and one version of each secret; notes what it was asked for."""

    def __init__(self, *parameters: str, version: str = "v1") -> None:
        self._names = [DEV.parameter(name) for name in parameters]
        self._version = version
        self.asked: list[tuple[str, Any]] = []

    def invoke(self, token: str, args: Any) -> dict[str, Any]:
        function = token.rpartition(":")[2]
        if function == "getCallerIdentity":
            return super().invoke(token, args)
        self.asked.append((function, {k: v for k, v in args.items() if v is not None}))
        if function == "getSecretVersions":
            versions = [
                {"versionId": "v0"},
                {"versionId": self._version, "versionStages": ["AWSCURRENT"]},
            ]
            return {"versions": versions}
        if function == "getParametersByPath":
            return {"names": self._names, "types": ["SecureString"] * len(self._names)}
        return {"version": 2}


def run(
    state: Resources, account: Account, values: dict[str, str] | None = None, **keys: Any
) -> BuiltInEngine:
    """Deploy dev with these config keys over a state."""
    engine = BuiltInEngine(account, earlier=state)
    engine.run(configured(values or {}, **{"secrets": SECRETS, **keys}))
    return engine


def configured(values: dict[str, str], **keys: Any) -> Stack:
    return replace(
        stack("dev", **keys, secretValues=values), secret_keys=(f"{PROJECT}:secretValues",)
    )


def refused(
    state: Resources, account: Account, values: dict[str, str] | None = None, **keys: Any
) -> list[str]:
    """Return the paths that are refused, before anything is made."""
    engine = BuiltInEngine(account, earlier=state)
    with pytest.raises(SettingsError) as error:
        engine.run(configured(values or {}, **{"secrets": SECRETS, **keys}))
    assert engine.registrations == []
    assert CANARY not in str(error.value)
    return [each.split(" ", 1)[0].removeprefix(f"{PROJECT}:") for each in error.value.errors]


def of(*states: Resources) -> Resources:
    return {
        urn: each
        for state in (key(), secret("database", names=DEV), *states)
        for urn, each in state.items()
    }


def test_all_that_would_cost_a_value_is_refused_at_once() -> None:
    state = of(
        secret("gone", names=DEV),
        secret("put", names=DEV),
        parameter("gone", names=DEV),
        parameter("one", "SecureString", names=DEV),
        trail(),
    )
    found = refused(
        state,
        Account(version="v9"),
        {"put": CANARY},
        secrets={**SECRETS, "put": {"from": "config"}},
        parameters={"one": {"type": "SecureString"}, "new": {"type": "SecureString"}},
    )
    assert found == [
        "secrets.gone",
        "parameters.gone",
        "audit.trail",
        "secrets.put",
        "parameters.one",
    ]


def test_a_stack_that_was_renamed_is_told_that_alone() -> None:
    old = Names(PROJECT, "old")
    state = {**secret("database", names=old), **secret("put", "before", names=old)}
    secrets = {**SECRETS, "put": {"from": "config"}}
    account = Account(version="v9")
    assert refused(state, account, {"put": CANARY}, secrets=secrets) == ["secrets"]
    assert account.asked == []


def test_a_deletion_that_was_asked_for_passes() -> None:
    exemptions = dict.fromkeys(
        ("protect.gone", "protectParameters.gone", "protectAudit"), EXEMPTION
    )
    state = of(secret("gone", names=DEV), parameter("gone", names=DEV), trail())
    engine = run(state, Account(), exemptions=exemptions)
    assert len(engine.registrations) > 10
    assert not [each for each in engine.messages if "remove it" in each]


def test_an_exemption_that_is_left_over_is_told() -> None:
    engine = run(of(), Account(), exemptions={"protect.gone": EXEMPTION})
    (message,) = [each for each in engine.messages if "remove it" in each]
    assert message.startswith(
        f"{PROJECT}:exemptions['protect.gone'] is for something that no longer exists"
    )


def test_aws_is_asked_for_nothing_that_the_state_decides() -> None:
    account = Account()
    state = of(secret("x", CANARY, names=DEV), parameter("p", names=DEV))
    secrets = {**SECRETS, "x": {"from": "config"}}
    run(state, account, {"x": CANARY}, secrets=secrets, parameters={"p": {"value": CANARY}})
    assert account.asked == []


def test_a_first_deployment_looks_for_environments_with_its_names() -> None:
    account = Account()
    run({}, account, parameters={"q": {"type": "SecureString"}}, replicaRegions=["us-west-2"])
    names = [each.key_alias for each in (*DEV.namesakes, DEV)]
    expected = [{"name": name, "region": "us-east-1"} for name in names]
    expected.append({"name": DEV.key_alias, "region": "us-west-2"})
    assert account.asked == [("getAlias", each) for each in expected]


def test_a_new_replica_region_is_looked_at_alone() -> None:
    account = Account()
    run(of(), account, replicaRegions=["us-west-2"])
    assert account.asked == [("getAlias", {"name": DEV.key_alias, "region": "us-west-2"})]


class Neighbor(Account):
    """Has the aliases of these environments."""

    def __init__(self, *aliases: str) -> None:
        super().__init__()
        self._aliases = aliases

    def invoke(self, token: str, args: Any) -> dict[str, Any]:
        if token.endswith(":getAlias"):
            return {"targetKeyArn": "arn:key"} if args["name"] in self._aliases else {}
        return super().invoke(token, args)


def test_environments_that_have_the_names_are_refused_at_once() -> None:
    engine = BuiltInEngine(Neighbor(*(each.key_alias for each in (*DEV.namesakes, DEV))))
    with pytest.raises(SettingsError) as error:
        engine.run(configured({}, secrets=SECRETS))
    assert engine.registrations == []
    *similar, same = error.value.errors
    for line, other in zip(similar, DEV.namesakes, strict=True):
        assert line.startswith(
            f"{other.key_alias} exists in us-east-1, for arn:key: it is that of"
        )
    assert same.startswith(f"{DEV.key_alias} already exists in us-east-1, for arn:key, and")


def test_aliases_of_the_trails_and_the_alarms_keys_are_looked_for_as_well() -> None:
    further = [DEV.audit_alias, DEV.alarms_alias]
    watched = {"audit": {"trail": "own"}, "monitoring": {"enabled": True}}
    engine = BuiltInEngine(Neighbor(*further))
    with pytest.raises(SettingsError) as error:
        engine.run(configured({}, secrets=SECRETS, **watched))
    assert engine.registrations == []
    for line, alias in zip(error.value.errors, further, strict=True):
        assert line.startswith(f"{alias} already exists in us-east-1, for arn:key, and")
    BuiltInEngine(Neighbor(*further)).run(configured({}, secrets=SECRETS))


@pytest.mark.parametrize(("monitored", "warned"), [(True, True), (False, False)])
def test_a_stack_that_may_have_the_alarms_of_a_function_is_warned_of(
    monitored: bool,  # noqa: FBT001 (a row of the table)
    warned: bool,  # noqa: FBT001
) -> None:
    code = {"code": "handler/app.py", "handler": "app.lambda_handler", "telemetry": True}
    engine = BuiltInEngine(Neighbor(f"{DEV.key_alias}-orders"))
    engine.run(
        configured(
            {},
            secrets=SECRETS,
            functions={name: {**code, "secrets": ["database"]} for name in ("reader", "orders")},
            audit={"trail": "own"},
            monitoring={"enabled": monitored},
        )
    )
    lines = [each for each in engine.messages if "it is that of stack 'dev-orders'" in each]
    assert len(lines) == int(warned)


def test_a_preview_that_may_go_on_with_an_interrupted_deployment_only_warns() -> None:
    account = Neighbor(DEV.key_alias)
    account.preview = True
    engine = BuiltInEngine(account)
    engine.run(configured({}, secrets=SECRETS))
    (line,) = [each for each in engine.messages if "already exists" in each]
    assert line.startswith(f"{DEV.key_alias} already exists in us-east-1, for arn:key, and")


def test_what_aws_is_asked_for_holds_no_value_and_is_asked_once() -> None:
    account = Account("a", "b")
    (name, arn) = "x", secret("x", names=DEV).popitem()[1]["outputs"]["arn"]
    state = of(
        secret(name, "before", names=DEV),
        parameter("p", names=DEV, version=2),
        generated("a", DEV),
        generated("b", DEV),
    )
    secure = {"type": "SecureString"}
    run(
        state,
        account,
        {"x": CANARY},
        secrets={**SECRETS, "x": {"from": "config"}},
        parameters={"p": {"value": "other"}, "a": secure, "b": secure},
    )
    path = {"path": f"/{PROJECT}/dev", "recursive": True, "withDecryption": False}
    assert account.asked == [
        ("getSecretVersions", {"secretId": arn}),
        ("getParameter", {"name": f"/{PROJECT}/dev/p", "withDecryption": False}),
        ("getParametersByPath", path),
    ]


@pytest.mark.parametrize(
    ("there", "times", "lost"), [(["a"], 0, None), ([], 0, "1"), (["a"], 3, "3"), ([], 3, "4")]
)
def test_the_seeder_is_called_again_for_a_parameter_that_is_gone(
    there: list[str], times: int, lost: str | None
) -> None:
    engine = run(
        of(generated("a", DEV, times)), Account(*there), parameters={"a": {"type": "SecureString"}}
    )
    (called,) = by_type(engine.registrations, "invocation:Invocation")
    assert called.inputs.get("triggers") == (lost and {"lost": lost})
    (seeder,) = by_type(engine.registrations, ":SecretSeeder")
    assert "lost" not in json.dumps(seeder.inputs)


class Refusal(grpc.RpcError):  # type: ignore[misc]
    """An error of the provider, as the engine hands it on."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return self._text


class Refusing(Account):
    def __init__(self, error: str) -> None:
        super().__init__()
        self._error = error

    def invoke(self, token: str, args: Any) -> dict[str, Any]:
        if token.endswith(":getCallerIdentity"):
            return super().invoke(token, args)
        raise Refusal(f"{token}: {self._error}")


CHANGED: dict[str, tuple[Resources, dict[str, str], dict[str, Any]]] = {
    "secretsmanager:ListSecretVersionIds": (
        secret("x", "before", names=DEV),
        {"x": CANARY},
        {"secrets": {**SECRETS, "x": {"from": "config"}}},
    ),
    "kms:ListAliases": ({}, {}, {"replicaRegions": ["us-west-2"]}),
    "ssm:GetParameter": (parameter("p", names=DEV), {}, {"parameters": {"p": {"value": "v"}}}),
    "ssm:GetParametersByPath": (
        generated("p", DEV),
        {},
        {"parameters": {"p": {"type": "SecureString"}}},
    ),
}


@pytest.mark.parametrize("permission", CHANGED)
def test_a_permission_that_is_missing_is_named(permission: str) -> None:
    state, values, keys = CHANGED[permission]
    with pytest.raises(pulumi.RunError, match=rf"AccessDenied.*needs {permission}$") as error:
        run(of(state), Refusing("AccessDenied"), values, **keys)
    assert CANARY not in str(error.value)


@pytest.mark.parametrize(
    ("permission", "code"),
    [
        ("secretsmanager:ListSecretVersionIds", "ResourceNotFoundException"),
        ("kms:ListAliases", "reading KMS Alias (p): couldn't find resource"),
        ("kms:ListAliases", "reading KMS Alias (p): empty result"),
        ("ssm:GetParameter", "ParameterNotFound"),
        ("ssm:GetParameter", "reading SSM Parameter (p): couldn't find resource"),
    ],
)
def test_what_is_gone_from_aws_has_nothing_to_lose(permission: str, code: str) -> None:
    state, values, keys = CHANGED[permission]
    assert run(of(state), Refusing(code), values, **keys).registrations
