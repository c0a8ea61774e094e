"""CloudWatch: the dashboards that it refuses.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import cloudwatch

from local.emulator.cloudwatch import requests
from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

WIDGETS = 500
# In one widget.
ALARMS = 100
# Name of a number -> the least and the greatest.
GEOMETRY = {"x": (0, 23), "y": (0, None), "width": (1, 24), "height": (1, 1000)}

_NAME = re.compile(r"[A-Za-z0-9_-]+")

Data = dict[str, Any]


@replaces(cloudwatch, "_put_dashboard")
def refuse_invalid_dashboards(
    original: Callable[..., Response], form: Data, data: Data, *protocol: bool
) -> Response:
    """Refuse names with other characters, and bodies that are not those of a dashboard.

    ministack takes any text.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
    """
    request = requests.parameters("PutDashboard", form, data)
    if not _NAME.fullmatch(request["DashboardName"]):
        text = (
            "The value for field DashboardName contains invalid characters. "
            "It can only contain alphanumerics, dash (-) and underscore (_).\n"
        )
        return requests.error("InvalidParameterValue", text, *protocol)
    if violation := _violation(request["DashboardBody"]):
        return requests.error("InvalidParameterInput", violation, *protocol)
    return original(form, data, *protocol)


def _violation(text: str) -> str | None:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return "The field DashboardBody must be a valid JSON object"
    errors = [{"dataPath": path, "message": message} for path, message in _errors(body)]
    if not errors:
        return None
    count = f"{len(errors)} validation error{'' if len(errors) == 1 else 's'}"
    return f"The dashboard body is invalid, there are {count}:\n{json.dumps(errors, indent=2)}"


def _errors(body: Data) -> Iterator[tuple[str, str]]:
    """Return the path and the text of each error."""
    widgets = body.get("widgets", [])
    if not isinstance(widgets, list):
        yield "/widgets", "Should be array"
        return
    if len(widgets) > WIDGETS:
        yield "/widgets", f"Should NOT have more than {WIDGETS} items"
    for number, widget in enumerate(widgets):
        yield from _errors_of_widget(f"/widgets/{number}", widget)


def _errors_of_widget(path: str, widget: object) -> Iterator[tuple[str, str]]:
    if not isinstance(widget, dict):
        yield path, "Should be object"
        return
    for name in ("type", "properties"):
        if name not in widget:
            yield path, f"Should have required property '{name}'"
    if widget.get("type") == "alarm":
        yield from _errors_of_alarms(f"{path}/properties", widget.get("properties"))
    for name, (least, most) in GEOMETRY.items():
        value = widget.get(name, least)
        if not isinstance(value, int):
            yield f"{path}/{name}", "Should be integer"
        elif value < least:
            yield f"{path}/{name}", f"Should be >= {least}"
        elif most is not None and value > most:
            yield f"{path}/{name}", f"Should be <= {most}"


def _errors_of_alarms(path: str, properties: object) -> Iterator[tuple[str, str]]:
    """Require 1 to 100 ARNs."""
    if not isinstance(properties, dict):
        return
    if "alarms" not in properties:
        yield path, "Should have required property 'alarms'"
    elif not isinstance(alarms := properties["alarms"], list):
        yield f"{path}/alarms", "Should be array"
    elif not alarms:
        yield f"{path}/alarms", "Should NOT have fewer than 1 items"
    elif len(alarms) > ALARMS:
        yield f"{path}/alarms", f"Should NOT have more than {ALARMS} items"
