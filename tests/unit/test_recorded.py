"""What is read out of a state: names, ids and yes or no; no value, and nothing of others."""

from infra.changes.recorded import Configured, Parameter, Secret, Version
from tests.states import (
    CANARY,
    NAMES,
    generated,
    parameter,
    recorded,
    resource,
    secret,
    seeded,
    tags,
    trail,
)

SECRET = "aws:secretsmanager/secret:Secret"
PARAMETER = "aws:ssm/parameter:Parameter"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


def test_a_secret_is_kept_by_its_names_and_without_its_text() -> None:
    state = secret("team/db", CANARY, days=7)
    urn, version = state
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/dev/team/db-AbCdEf"
    kept = recorded(state)
    put = Version(version, "v1", is_configured=False, is_object=False)
    assert kept.secrets == {"team/db": Secret(urn, arn, "app/dev/team/db", "app/dev/", 7, put)}
    assert CANARY not in repr(kept)


def test_a_text_is_compared_with_the_configs_and_tried_as_an_object() -> None:
    texts = {"a": CANARY, "b": '{"x": 1}', "c": "[1]"}
    kept = recorded(
        *[secret(name, text) for name, text in texts.items()],
        configured=Configured({"a": CANARY, "b": "{}"}, {}),
    )
    found = {name: each.version for name, each in kept.secrets.items() if each.version}
    assert {name: each.is_configured for name, each in found.items()} == {
        "a": True,
        "b": False,
        "c": False,
    }
    assert {name for name, each in found.items() if each.is_object} == {"b"}


def test_a_parameter_is_kept_by_its_names_and_without_its_value() -> None:
    state = parameter("a/b", "SecureString")
    (urn,) = state
    kept = recorded(state)
    full, arn = "/app/dev/a/b", "arn:aws:ssm:us-east-1:123456789012:parameter/app/dev/a/b"
    found = Parameter(urn, arn, full, "/app/dev/", "SecureString", 1, is_configured=False)
    assert kept.parameters == {"a/b": found}
    assert CANARY not in repr(kept)


def test_a_parameter_is_as_configured_when_all_that_is_written_is() -> None:
    as_is = {"value": CANARY, "type": "String", "description": "", "tier": "Standard"}
    for tier in ("Standard", "Advanced"):
        state, other = parameter("a", tier=tier), {**as_is, "tier": tier}
        assert (
            recorded(state, configured=Configured({}, {"a": other})).parameters["a"].is_configured
        )
    for key in as_is:
        configured = Configured({}, {"a": {**as_is, key: "other"}})
        assert not recorded(parameter("a"), configured=configured).parameters["a"].is_configured


def test_a_parameter_of_a_provider_that_tells_no_version_has_none() -> None:
    assert recorded(parameter("a", version=None)).parameters["a"].version is None


def test_what_the_seeder_made_is_kept_with_how_often_it_was_lost() -> None:
    of_a_secret = seeded("c", {"SecretId": "arn", "Fields": {}, "Generate": {}})
    kept = recorded(generated("a"), generated("b", times_lost=2), of_a_secret)
    assert kept.generated == {"/app/dev/a": 0, "/app/dev/b": 2}


def test_the_log_group_of_the_trail_is_kept() -> None:
    assert recorded(trail()).trail_log_group == "/aws/cloudtrail/app-dev"
    others = resource("RotationWatch", LOG_GROUP, "rotation-watch-logs", name="/aws/lambda/x")
    assert recorded(others).trail_log_group is None


def test_what_others_registered_is_not_read() -> None:
    kept = recorded(
        resource("", "pulumi:pulumi:Stack", "app-dev", name="/app/dev/a"),
        resource("", "aws:lambda/invocation:Invocation", "own", input="no JSON at all"),
        resource("", "aws:lambda/invocation:Invocation", "hidden", input=None),
        resource("AppSecret", SECRET, "half-secret", name="app/dev/half"),  # without an ARN
        resource("ParameterStore", PARAMETER, "own-x", arn="a", name="/own/x", type="String"),
    )
    assert not any((kept.secrets, kept.parameters, kept.generated))


def test_a_secret_of_no_component_is_a_stray() -> None:
    state = resource("", SECRET, "x-secret", arn="arn", name="app/dev/x", tags=tags(NAMES))
    (urn,) = state
    assert recorded(state, secret("x")).strays == {urn: "app/dev/x"}


def test_configured_values_show_nowhere() -> None:
    assert CANARY not in repr(Configured({"a": CANARY}, {}))
