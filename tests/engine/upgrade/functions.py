"""Every function of a stack, called as it is called in operation."""

import json
from collections.abc import Iterator
from typing import Any

from local.deployment import Deployment
from tests.engine.upgrade.release import rotate_each

_INVOCATION = "aws:lambda/invocation:Invocation"


def there_are(deployed: Deployment) -> set[str]:
    """Name every function in the account."""
    pages = deployed.client("lambda").get_paginator("list_functions").paginate()
    return {each["FunctionName"] for page in pages for each in page["Functions"]}


def answering(deployed: Deployment) -> set[str]:
    """Call every function, those of rotation by a rotation; name those that answer well."""
    rotate_each(deployed)
    names = {arn.rpartition(":")[2] for arn in deployed.outputs["rotation_function_arns"].values()}
    # An earlier release has no output `functions`.
    functions = [each["name"] for each in deployed.outputs.get("functions", {}).values()]
    for name in functions or [deployed.outputs["function_name"]]:
        if _call(deployed, name, "{}").get("statusCode") == 200:
            names.add(name)
    for name in there_are(deployed) - names:
        answers = [_call(deployed, name, event) for event in _events(deployed, name)]
        if answers and all(not any(answer.values()) for answer in answers):
            names.add(name)
    return names


def _events(deployed: Deployment, name: str) -> Iterator[str]:
    """Yield what the seeder is called with; the watch takes anything."""
    made = [each.inputs for each in deployed.record.resources if each.type == _INVOCATION]
    events = [inputs["input"] for inputs in made if inputs["functionName"] == name]
    yield from events or ["{}"]


def _call(deployed: Deployment, name: str, event: str) -> dict[str, Any]:
    """Return what a function says is wrong, or was made: of a sound stack, nothing."""
    answer = deployed.client("lambda").invoke(FunctionName=name, Payload=event)
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    said.pop("VersionId", None)
    return said
