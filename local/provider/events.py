"""EventBridge: rules and their targets.

Left out: of a rule the role, `namePrefix` and the deprecated `isEnabled`; of a target everything
except its ARN; and the provider's wait for targets, because a rule is deleted after them.
"""

from collections.abc import Mapping

from local.provider import forms
from local.provider.resource import (
    REGION,
    TAGS,
    AutoName,
    Input,
    Properties,
    RejectedError,
    Resource,
    Session,
    given,
    tag_list,
    tag_map,
)

_ALL_MANAGEMENT_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_DEFAULT_BUS = "default"
_NAME = r"[0-9A-Za-z_.-]+"
_BUS = Input(
    default=_DEFAULT_BUS,
    replaces=True,
    length=(1, 1600),
    pattern=r"[/.\w-]+|arn:aws[\w-]*:events:[\w-]*:\d{12}:event-bus/[/.\w-]+",
)


class EventRule(Resource):
    """A rule; an existing one with the name is overwritten."""

    type = "aws:cloudwatch/eventRule:EventRule"
    inputs = {
        "description": Input(length=(0, 512)),
        "eventBusName": _BUS,
        "eventPattern": Input(json=True, length=(0, 4096), form=forms.document),
        "forceDestroy": Input(default=False),
        "name": Input(
            computed=True,
            replaces=True,
            auto_name=AutoName(64),
            length=(1, 64),
            pattern=_NAME,
        ),
        "region": REGION,
        "scheduleExpression": Input(length=(0, 256)),
        "state": Input(computed=True, choices=("ENABLED", "DISABLED", _ALL_MANAGEMENT_EVENTS)),
        "tags": TAGS,
    }
    outputs = ("arn", "isEnabled")
    at_least_one_of = (("eventPattern", "scheduleExpression"),)
    gone = frozenset({"ResourceNotFoundException"})

    def create(self, session: Session, inputs: Properties) -> str:
        self._put(session, inputs, inputs["tags"])
        bus, name = inputs["eventBusName"], str(inputs["name"])
        return name if bus == _DEFAULT_BUS else f"{bus}/{name}"

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        events, (bus, name) = session.client("events"), _bus_and_name(id_)
        rule = events.describe_rule(Name=name, EventBusName=bus)
        return {
            "arn": rule["Arn"],
            "description": rule.get("Description", ""),
            "eventBusName": bus,
            "eventPattern": rule.get("EventPattern"),
            "isEnabled": rule["State"] != "DISABLED",
            "name": rule["Name"],
            "scheduleExpression": rule.get("ScheduleExpression"),
            "state": rule["State"],
            "tags": tag_map(events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]),
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        if changed - {"forceDestroy"}:
            self._put(session, inputs, inputs.get("tags"))

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("events").tag_resource(ResourceARN=state["arn"], Tags=tag_list(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("events").untag_resource(ResourceARN=state["arn"], TagKeys=keys)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        bus, name = _bus_and_name(id_)
        session.client("events").delete_rule(
            Name=name, EventBusName=bus, Force=bool(state.get("forceDestroy"))
        )

    def unknown_after(self, changed: set[str], inputs: Properties) -> set[str]:
        return {"isEnabled"} if "state" in changed else set()

    def _put(self, session: Session, inputs: Properties, tags: Mapping[str, str] | None) -> None:
        keys = "name", "description", "eventBusName", "eventPattern", "scheduleExpression", "state"
        session.client("events").put_rule(**given(inputs, *keys), Tags=tag_list(tags))


class EventTarget(Resource):
    """A target of a rule; an existing one with the id is overwritten."""

    type = "aws:cloudwatch/eventTarget:EventTarget"
    inputs = {
        "arn": Input(required=True, arn=True),
        "eventBusName": _BUS,
        "region": REGION,
        "rule": Input(required=True, replaces=True, length=(1, 64), pattern=_NAME),
        "targetId": Input(
            computed=True,
            replaces=True,
            auto_name=AutoName(255),
            length=(1, 64),
            pattern=_NAME,
        ),
    }
    gone = frozenset({"ResourceNotFoundException"})

    def create(self, session: Session, inputs: Properties) -> str:
        answer = session.client("events").put_targets(
            Rule=inputs["rule"],
            EventBusName=inputs["eventBusName"],
            Targets=[{"Id": inputs["targetId"], "Arn": inputs["arn"]}],
        )
        _raise_for(answer["FailedEntries"])
        return _target_id(inputs)

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        pages = (
            session.client("events")
            .get_paginator("list_targets_by_rule")
            .paginate(Rule=state["rule"], EventBusName=state["eventBusName"])
        )
        for target in (each for page in pages for each in page["Targets"]):
            if target["Id"] == state["targetId"]:
                return {
                    "arn": target["Arn"],
                    "eventBusName": state["eventBusName"],
                    "rule": state["rule"],
                    "targetId": target["Id"],
                }
        return None

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        self.create(session, inputs)

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        answer = session.client("events").remove_targets(
            Rule=state["rule"], EventBusName=state["eventBusName"], Ids=[state["targetId"]]
        )
        _raise_for(answer["FailedEntries"])

    def imported(self, session: Session, id_: str) -> tuple[str, Properties]:
        *bus, rule, target = id_.rsplit("/", 2) if "/" in id_ else ("", "", "")
        if not rule or not target:
            raise RejectedError(f"{id_!r} must be rule/target or bus/rule/target")
        known = {"eventBusName": bus[0] if bus else _DEFAULT_BUS, "rule": rule, "targetId": target}
        return _target_id(known), known


def _bus_and_name(id_: str) -> tuple[str, str]:
    bus, _, name = id_.rpartition("/")
    return bus or _DEFAULT_BUS, name


def _target_id(inputs: Properties) -> str:
    bus = inputs["eventBusName"]
    parts = (inputs["rule"], inputs["targetId"])
    return "-".join(parts if bus == _DEFAULT_BUS else (bus, *parts))


def _raise_for(failed: list[dict[str, str]]) -> None:
    if failed:
        raise RejectedError(
            ", ".join(
                f"{each['TargetId']}: {each['ErrorCode']}: {each['ErrorMessage']}"
                for each in failed
            )
        )
