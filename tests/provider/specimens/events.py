import json
from typing import Any

from tests.provider.specimen import REGION, Specimen, World


def bus(world: World) -> str:
    events, name = world.client("events"), "specimen"
    if name not in [each["Name"] for each in events.list_event_buses()["EventBuses"]]:
        events.create_event_bus(Name=name)
    return name


def pattern(source: str) -> str:
    return json.dumps({"source": [source], "detail": {"name": [{"prefix": "a"}]}})


def rule(world: World, name: str, **inputs: Any) -> str:
    when = inputs or {"scheduleExpression": "rate(1 day)"}
    return str(world.make("aws:cloudwatch/eventRule:EventRule", name, **when)["name"])


def queue(world: World, name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{world.account_id}:{name}"


def target(id_: str, state: dict[str, Any]) -> str:
    assert id_ == f"{state['rule']}-{state['targetId']}"
    return f"{state['rule']}/{state['targetId']}"


SPECIMENS = [
    Specimen(
        "aws:cloudwatch/eventRule:EventRule",
        lambda _: {
            "name": "specimen",
            "description": "of the tests",
            "scheduleExpression": "rate(15 minutes)",
            "tags": {"A": "1", "B": "2"},
        },
        lambda world: [
            {"name": "another"},
            {"description": "another"},
            {"description": None},
            {"scheduleExpression": "cron(0 12 * * ? *)"},
            {"scheduleExpression": None, "eventPattern": pattern("one")},
            {"eventPattern": pattern("another")},
            {"state": "DISABLED"},
            {"state": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"},
            {
                "eventBusName": bus(world),  # which has no schedules
                "scheduleExpression": None,
                "eventPattern": pattern("one"),
            },
            {"forceDestroy": True},
            {"tags": {"B": "3", "C": "4"}},
            {"tags": None, "description": "with the tags"},
        ],
        not_read=frozenset({"forceDestroy"}),
    ),
    Specimen(
        "aws:cloudwatch/eventTarget:EventTarget",
        lambda world: {
            "rule": rule(world, "a-rule"),
            "targetId": "specimen",
            "arn": queue(world, "a-queue"),
        },
        lambda world: [
            {"rule": rule(world, "another-rule")},
            {"targetId": "another"},
            {"arn": queue(world, "another-queue")},
            {
                "eventBusName": bus(world),
                "rule": rule(
                    world,
                    "a-rule-of-the-bus",
                    eventBusName=bus(world),
                    eventPattern=pattern("one"),
                ),
            },
        ],
        found_by=frozenset({"rule", "targetId", "eventBusName"}),
        import_id=target,
    ),
]
