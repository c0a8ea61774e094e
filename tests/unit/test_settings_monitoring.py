"""What is wrong with `monitoring` and `audit` is said before anything is made."""

import re
from typing import Any

import botocore.session
import pytest

from infra.alarms import incidents
from infra.aws.limits import ALARM_DESCRIPTION_LENGTH, ALARM_NAME_LENGTH
from infra.config.rules import monitoring
from infra.names import Names
from tests.recording import PROJECT
from tests.unit.test_settings import VALID, faults, read

WATCHED: dict[str, Any] = {
    **VALID,
    "function": {"telemetry": True},
    "audit": {"trail": "own"},
    "monitoring": {"enabled": True},
}
ROLE = "arn:aws:iam::123456789012:role/ci/deploy"


def subscribed(*subscriptions: tuple[str, str]) -> dict[str, Any]:
    given = [{"protocol": protocol, "endpoint": endpoint} for protocol, endpoint in subscriptions]
    return {"monitoring": {"enabled": True, "subscriptions": given}}


def test_nothing_is_watched_unless_config_says_so() -> None:
    settings = read(VALID).settings
    assert not settings.monitoring.enabled
    assert settings.audit.trail == "none"


def test_an_environment_is_watched_with_three_keys() -> None:
    settings = read(WATCHED).settings
    assert settings.monitoring.enabled
    assert settings.monitoring.period_seconds == 300


def test_every_kind_of_subscriber_is_taken() -> None:
    given = subscribed(
        ("email", "ops@example.com"),
        ("sms", "+491701234567"),
        ("https", "https://example.com/alarms"),
        ("sqs", "arn:aws:sqs:us-east-1:123456789012:alarms"),
        ("lambda", "arn:aws:lambda:us-east-1:123456789012:function:page"),
    )
    assert len(read({**WATCHED, **given}).settings.monitoring.subscriptions) == 5


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (
            {"audit": {}},
            "audit.trail must be 'own' or 'existing' when monitoring is enabled",
        ),
        ({"function": {}}, "function.telemetry must be true when monitoring is enabled"),
        ({"audit": {"trail": "existing"}}, "audit.logGroupName is not set"),
        (
            {"audit": {"trail": "own", "logGroupName": "trail"}},
            "audit.logGroupName is only for `trail: existing`, not 'own'; remove it",
        ),
        ({"audit": {"trail": "theirs"}}, "audit.trail must be 'none', 'own' or 'existing'"),
        (
            {"audit": {"trail": "own", "retentionDays": 30}},
            "audit.retentionDays must be 90 to 3653, got 30",
        ),
        (
            {"monitoring": {"enabled": True, "periodSeconds": 45}},
            "monitoring.periodSeconds must be one of 10, 30, 60, 300, 900, 3600, got 45",
        ),
        (
            {"monitoring": {"enabled": True, "knownReaders": ["deployer"]}},
            "monitoring.knownReaders must be ARNs of roles and users, got 'deployer'",
        ),
        (
            {"monitoring": {"enabled": True, "knownReaders": [f"{ROLE}{n}" for n in range(20)]}},
            "known readers: 22 known readers need",
        ),
        (
            subscribed(("pager", "x")),
            "monitoring.subscriptions.0.protocol must be 'email', 'sms', 'https', 'sqs' or",
        ),
        (
            subscribed(("email", "ops")),
            "monitoring.subscriptions[0].endpoint must be an email address (protocol email)",
        ),
        (
            subscribed(("sms", "0170")),
            "must be a phone number such as +491701234567 (protocol sms)",
        ),
        (subscribed(("https", "http://example.com")), "must be a URL that starts with https://"),
        (subscribed(("sqs", "alarms")), "must be the ARN of a queue (protocol sqs), got 'alarms'"),
        (subscribed(("lambda", "arn:aws:sqs:a:123456789012:b")), "must be the ARN of a function"),
        (
            subscribed(*[("email", "ops@example.com")] * 2),
            "monitoring.subscriptions lists email ops@example.com 2 times; keep one",
        ),
        (
            {"tags": {"Team": ""}},
            "tags.Team must not be empty with `audit.trail: own`, because CloudTrail",
        ),
    ],
)
def test_a_fault_names_the_key_and_what_is_allowed(keys: dict[str, Any], fault: str) -> None:
    found = [each for each in faults({**WATCHED, **keys}) if fault in each]
    assert len(found) == 1
    assert found[0].startswith(f"{PROJECT}:")


RUNBOOK = "https://git.example.com/docs/operations.md"


@pytest.mark.parametrize(
    "url", [RUNBOOK, f"{RUNBOOK}?plain=1", "https://wiki.example.com:8443/@ops", "https://runbook"]
)
def test_a_runbook_is_an_https_url(url: str) -> None:
    monitoring = {"enabled": True, "runbookUrl": url}
    assert read({**WATCHED, "monitoring": monitoring}).settings.monitoring.runbook_url == url


@pytest.mark.parametrize(
    ("url", "got"),
    [
        ("http://git.example.com/operations.md", "'http://git.example.com/operations.md'"),
        ("docs/operations.md", "'docs/operations.md'"),
        (f"{RUNBOOK}#alarms", f"'{RUNBOOK}#alarms'"),
        ("https://git.example.com/a b", "'https://git.example.com/a b'"),
        ("https://me:s3cr3t-canary@git.example.com", "a URL that is not shown"),
        ("", "''"),
    ],
)
def test_a_runbook_that_alarms_cannot_link_to_is_refused(url: str, got: str) -> None:
    (fault,) = faults({**VALID, "monitoring": {"runbookUrl": url}})
    rule = "monitoring.runbookUrl must be an https URL without # and without credentials"
    assert fault == f"{PROJECT}:{rule}, got {got}; fix it in Pulumi.test.yaml"


def test_a_runbook_is_refused_by_the_character_with_which_a_description_is_too_long() -> None:
    def watched(length: int) -> dict[str, Any]:
        url = RUNBOOK + "/" + "x" * (length - len(RUNBOOK) - 1)
        return {**WATCHED, "monitoring": {"enabled": True, "runbookUrl": url}}

    (fault,) = faults(watched(1000))
    found = re.search(r"must have at most (\d+) characters, because CloudWatch allows 1024", fault)
    assert found
    most = int(found[1])
    environment = read(watched(most))
    texts = incidents.descriptions(
        incidents.LogLocations(
            f"{environment.log_group_prefix}reader",
            environment.names.trail_log_group,
            environment.secret_prefix,
            environment.names.key_alias,
            environment.settings.monitoring.runbook_url or "",
        )
    )
    assert max(map(len, texts.values())) == ALARM_DESCRIPTION_LENGTH
    assert f"got {most + 1};" in faults(watched(most + 1))[0]


def test_names_that_leave_no_room_for_an_alarms_text_are_refused() -> None:
    audit = {"trail": "existing", "logGroupName": "t" * 512}
    (fault,) = faults({**WATCHED, "audit": audit}, stack_name="s" * 100)
    assert "monitoring.enabled cannot be true with names this long" in fault


def test_an_alarms_name_that_cloudwatch_would_refuse_is_refused_by_the_names_in_it() -> None:
    label, function = (
        "f" * 40,
        {"code": "handler/app.py", "handler": "app.lambda_handler", "telemetry": True},
    )
    config = {key: value for key, value in WATCHED.items() if key != "function"}
    audit = {"trail": "existing", "logGroupName": "t"}
    settings = read(
        {**config, "audit": audit, "functions": {"a": function, label: function}}
    ).settings

    def found(stack: str) -> list[str]:
        errors = monitoring.errors(settings, Names("p" * 100, stack), "us-east-1")
        return [error.line("p") for error in errors]

    longest = "s" * (ALARM_NAME_LENGTH - len(f"{'p' * 100}--{label}-function-throttles"))
    assert found(longest) == []
    (told,) = found(f"{longest}s")
    assert told == (
        "p:monitoring.enabled cannot be true with names this long, because CloudWatch allows 255"
        " characters in an alarm's name, got 256; shorten the name of the project, the stack or"
        f" functions.{label}"
    )


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        (
            "https://me:{}@example.com/x",
            "endpoint contains credentials (not shown), which Pulumi's",
        ),
        ("https://{}@example.com", "endpoint contains credentials (not shown), which Pulumi's"),
        (
            "http://me:{}@example.com",
            "starts with https:// (protocol https), got 'http://…@example",
        ),
    ],
)
def test_a_url_with_credentials_is_refused_and_not_shown(url: str, fault: str) -> None:
    given = ("https", url.format("s3cr3t-canary"))
    found = faults({**WATCHED, **subscribed(given, given)})
    assert "canary" not in "".join(found)
    assert sum(fault in each for each in found) == 2
    assert sum("…@example.com" in each and "2 times" in each for each in found) == 1


def test_a_url_with_an_at_sign_elsewhere_is_taken() -> None:
    given = subscribed(("https", "https://example.com/@ops?to=a@b"))
    assert read({**WATCHED, **given})


@pytest.mark.parametrize("trail", ["none", "existing"])
def test_an_empty_tag_is_taken_where_no_trail_has_it(trail: str) -> None:
    named = {"logGroupName": "trail"} if trail == "existing" else {}
    keys = {**WATCHED, "audit": {"trail": trail, **named}, "tags": {"Team": ""}}
    assert read({**keys, "monitoring": {"enabled": trail == "existing"}})


def test_cloudtrail_alone_of_the_services_that_are_tagged_takes_no_empty_tag() -> None:
    session = botocore.session.get_session()
    services = ("cloudtrail", "events", "iam", "kms", "lambda", "logs", "secretsmanager", "sns")
    least = {}
    for service in (*services, "ssm"):
        model = session.get_service_model(service)
        (name,) = {"TagValue", "TagValueType", "tagValueType"} & set(model.shape_names)
        least[service] = model.shape_for(name).metadata.get("min", 0)
    assert {service for service, length in least.items() if length} == {"cloudtrail"}


def test_any_number_of_secrets_may_rotate_but_known_readers_need_room() -> None:
    rotating = {
        f"secret-of-a-long-name-{number}": {
            "generate": {"key": {}},
            "rotation": {"strategy": "random"},
        }
        for number in range(100)
    }
    secrets = {**VALID["secrets"], **rotating}
    assert read({**WATCHED, "secrets": secrets})
    known = [f"arn:aws:iam::123456789012:role/{number:02}{'r' * 62}" for number in range(10)]
    monitoring = {**WATCHED["monitoring"], "knownReaders": known}
    (fault,) = faults({**WATCHED, "secrets": secrets, "monitoring": monitoring})
    assert "rotations and known readers: 12 known readers" in fault
