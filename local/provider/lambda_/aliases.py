"""Aliases of a function's versions, and permissions to invoke it."""

import json
import re

from local.provider.lambda_.functions import invoke_arn
from local.provider.resource import (
    REGION,
    AutoName,
    Input,
    Properties,
    RejectedError,
    Resource,
    Session,
    camel,
    given,
)

_FUNCTION = (
    r"(arn:[\w-]+:lambda:)?([a-z]{2}-(?:[a-z]+-){1,2}\d:)?(\d{12}:)?(function:)?"
    r"(?P<name>[0-9A-Za-z_-]+)(:(\$LATEST|[0-9A-Za-z_-]+))?"
)


def _name(function: object) -> object:
    """Return the name in a function's ARN."""
    match = re.fullmatch(_FUNCTION, function) if isinstance(function, str) else None
    return match["name"] if match else function


class Alias(Resource):
    """An alias of one or two versions of a function."""

    type = "aws:lambda/alias:Alias"
    inputs = {
        "description": Input(),
        "functionName": Input(required=True, replaces=True, form=_name),
        "functionVersion": Input(required=True),
        "name": Input(replaces=True, auto_name=AutoName()),
        "region": REGION,
        "routingConfig": Input(fields={"additionalVersionWeights": Input()}),
    }
    outputs = ("arn", "invokeArn")
    gone = frozenset({"ResourceNotFoundException"})

    def create(self, session: Session, inputs: Properties) -> str:
        return str(session.client("lambda").create_alias(**_alias(inputs))["AliasArn"])

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        function, name = id_.split(":")[-2:]
        alias = session.client("lambda").get_alias(FunctionName=function, Name=name)
        return {
            "arn": alias["AliasArn"],
            "description": alias.get("Description", ""),
            "functionName": function,
            "functionVersion": alias["FunctionVersion"],
            "invokeArn": invoke_arn(session, alias["AliasArn"]),
            "name": alias["Name"],
            "routingConfig": camel(alias.get("RoutingConfig", {})),
        }

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        session.client("lambda").update_alias(**_alias(inputs))

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        function, name = id_.split(":")[-2:]
        session.client("lambda").delete_alias(FunctionName=function, Name=name)

    def imported(self, session: Session, id_: str) -> tuple[str, Properties]:
        function, _, name = id_.rpartition("/")
        if not function:
            raise RejectedError(f"{id_}: must be <function>/<alias>")
        alias = session.client("lambda").get_alias(FunctionName=function, Name=name)
        return str(alias["AliasArn"]), {}


class Permission(Resource):
    """A statement in the resource policy of a function."""

    type = "aws:lambda/permission:Permission"
    inputs = {
        "action": Input(required=True, replaces=True, pattern=r"lambda:(\*|[A-Za-z]+)|\*"),
        "function": Input(required=True, replaces=True, pattern=_FUNCTION, length=(1, 140)),
        "principal": Input(required=True, replaces=True),
        "qualifier": Input(replaces=True, pattern=r"[0-9A-Za-z_$-]+", length=(1, 128)),
        "region": REGION,
        "sourceAccount": Input(replaces=True, pattern=r"\d{12}"),
        "sourceArn": Input(replaces=True, arn=True),
        "statementId": Input(
            computed=True,
            replaces=True,
            auto_name=AutoName(100),
            pattern=r"[0-9A-Za-z_-]+",
            length=(1, 100),
        ),
    }
    gone = frozenset({"ResourceNotFoundException"})

    def create(self, session: Session, inputs: Properties) -> str:
        session.client("lambda").add_permission(
            FunctionName=inputs["function"],
            **given(inputs, "action", "principal", "qualifier", "sourceAccount", "sourceArn"),
            StatementId=inputs["statementId"],
        )
        return str(inputs["statementId"])

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        function = state["function"]
        policy = session.client("lambda").get_policy(
            FunctionName=function, **given(state, "qualifier")
        )["Policy"]
        found = [each for each in json.loads(policy)["Statement"] if each["Sid"] == id_]
        if not found:
            return None
        principal, conditions = found[0]["Principal"], found[0].get("Condition", {})
        name, qualifier = [*found[0]["Resource"].split(":"), ""][6:8]
        arn = found[0]["Resource"].removesuffix(f":{qualifier}")
        return {
            "action": found[0]["Action"],
            "function": arn if function.startswith("arn:") else name,
            "principal": principal
            if isinstance(principal, str)
            else principal.get("AWS") or principal.get("Service"),
            "qualifier": qualifier,
            "sourceAccount": conditions.get("StringEquals", {}).get("AWS:SourceAccount", ""),
            "sourceArn": conditions.get("ArnLike", {}).get("AWS:SourceArn", ""),
            "statementId": id_,
        }

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("lambda").remove_permission(
            FunctionName=state["function"], StatementId=id_, **given(state, "qualifier")
        )

    def imported(self, session: Session, id_: str) -> tuple[str, Properties]:
        function, _, statement = id_.partition("/")
        if not statement:
            raise RejectedError(f"{id_}: must be <function>[:<qualifier>]/<statement id>")
        name, _, qualifier = function.partition(":")
        return statement, {"function": name, "qualifier": qualifier}


def _alias(inputs: Properties) -> Properties:
    weights = (inputs.get("routingConfig") or {}).get("additionalVersionWeights") or {}
    return {
        "Name": inputs["name"],
        "FunctionName": inputs["functionName"],
        "FunctionVersion": inputs["functionVersion"],
        "Description": inputs.get("description") or "",
        "RoutingConfig": {"AdditionalVersionWeights": weights},
    }
