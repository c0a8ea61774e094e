"""What is wrong with ``monitoring`` and ``audit`` is said before anything is made."""

from typing import Any

import pytest

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
        ({"audit": {}}, "audit.trail must be own or existing beside monitoring.enabled"),
        ({"function": {}}, "function.telemetry must be true beside monitoring.enabled"),
        ({"audit": {"trail": "existing"}}, "audit.logGroupName is not set"),
        (
            {"audit": {"trail": "own", "logGroupName": "trail"}},
            "audit.logGroupName goes with `trail: existing`, not 'own'",
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
            "monitoring.knownReaders are too many beside the functions: 22 known readers need",
        ),
        (
            subscribed(("pager", "x")),
            "monitoring.subscriptions.0.protocol must be 'email', 'sms', 'https', 'sqs' or",
        ),
        (
            subscribed(("email", "ops")),
            "monitoring.subscriptions[0].endpoint must be an address beside email, got 'ops'",
        ),
        (subscribed(("sms", "0170")), "must be a number such as +491701234567 beside sms"),
        (subscribed(("https", "http://example.com")), "must be a URL that begins with https://"),
        (subscribed(("sqs", "alarms")), "must be ARN of a queue beside sqs, got 'alarms'"),
        (subscribed(("lambda", "arn:aws:sqs:a:123456789012:b")), "must be ARN of a function"),
        (
            subscribed(*[("email", "ops@example.com")] * 2),
            "monitoring.subscriptions name email ops@example.com 2 times",
        ),
    ],
)
def test_a_fault_names_the_key_and_what_is_allowed(keys: dict[str, Any], fault: str) -> None:
    found = [each for each in faults({**WATCHED, **keys}) if fault in each]
    assert len(found) == 1
    assert found[0].startswith(f"{PROJECT}:")


def test_secrets_that_rotate_leave_less_room_for_known_readers() -> None:
    rotating = {
        f"secret-of-a-long-name-{number}": {
            "generate": {"key": {}},
            "rotation": {"strategy": "random"},
        }
        for number in range(12)
    }
    secrets = {**VALID["secrets"], **rotating}
    (fault,) = faults({**WATCHED, "secrets": secrets})
    assert "too many beside the functions: 14 known readers" in fault
