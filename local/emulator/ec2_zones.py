"""EC2: the availability zones that a request asks for."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import ec2

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html
# Filter -> the element that it compares.
FILTERS = {
    "group-long-name": "groupLongName",
    "group-name": "groupName",
    "message": "message",
    "opt-in-status": "optInStatus",
    "parent-zone-id": "parentZoneId",
    "parent-zone-name": "parentZoneName",
    "region-name": "regionName",
    "state": "zoneState",
    "zone-id": "zoneId",
    "zone-name": "zoneName",
    "zone-type": "zoneType",
}

_ITEM = re.compile(r"<item>.*?</item>", re.DOTALL)


@replaces(ec2._ACTION_MAP, "DescribeAvailabilityZones")
def filter_zones(
    original: Callable[[dict[str, Any]], Response], parameters: dict[str, Any]
) -> Response:
    """Return the zones that match the names, the ids and the filters; refuse an unknown filter.

    ministack returns every zone.
    """
    wanted = ec2._parse_filters(parameters)
    for name in wanted:
        if name not in FILTERS:
            text = f"The filter '{name}' is invalid"
            refusal: Response = ec2._error("InvalidParameterValue", text, HTTPStatus.BAD_REQUEST)
            return refusal
    filters = {FILTERS[name]: values for name, values in wanted.items()}
    for element in ("zoneName", "zoneId"):
        if listed := ec2._parse_member_list(parameters, element[0].upper() + element[1:]):
            filters.setdefault(element, listed)
    status, headers, body = original(parameters)
    text = body.decode() if isinstance(body, bytes) else body
    text = _ITEM.sub(lambda item: item[0] if _matches(item[0], filters) else "", text)
    return status, headers, text.encode()


def _matches(item: str, filters: dict[str, list[str]]) -> bool:
    for element, patterns in filters.items():
        found = re.search(f"<{element}>(.*?)</{element}>", item)
        if not any(ec2._glob_match(each, found[1] if found else "") for each in patterns):
            return False
    return True
