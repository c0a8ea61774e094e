"""Which operation a request asks for, in each of AWS's protocols."""

import functools
import gzip
import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

# Names of services in ministack that differ from those in botocore.
_BOTOCORE_NAMES = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
_CBOR = re.compile(r"/service/[^/]+/operation/(\w+)")
_PLACEHOLDER = re.compile(r"\\\{\w+(\\\+)?\\\}")  # as re.escape leaves `{Bucket}` and `{Key+}`


class _Route(NamedTuple):
    method: str
    path: re.Pattern[str]
    needed: set[str]
    """The parameters and headers that every request has."""
    rank: tuple[int, bool, str]
    """Of the operations that fit, the one with the least rank is meant; ends with its name."""


def botocore_name(service: str) -> str:
    """Return the name in botocore of a service of ministack."""
    return _BOTOCORE_NAMES.get(service, service)


def asked_for(
    service: str, method: str, path: str, headers: Mapping[str, str], parameters: Mapping[str, Any]
) -> str | None:
    """Return the name of the operation; None when the request names none that AWS has.

    `service` is the name in botocore. `parameters` are those of the query string and of a form,
    each a list of values.
    """
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if cbor := _CBOR.fullmatch(path):
        return cbor[1]
    if action := parameters.get("Action"):
        return str(action[0] if isinstance(action, list) else action)
    given, path = parameters.keys() | headers.keys(), unquote(path)
    ranks = [
        route.rank
        for route in _routes(service)
        if route.method == method and route.path.fullmatch(path) and route.needed <= given
    ]
    return min(ranks)[-1] if ranks else None


def botocore_files(pattern: str) -> list[Path]:
    """Find files of botocore's data without botocore, which takes 0.1 s to import."""
    spec = importlib.util.find_spec("botocore")
    folders = (spec.submodule_search_locations or []) if spec else []
    return [path for folder in folders for path in (Path(folder) / "data").glob(pattern)]


@functools.cache
def _routes(service: str) -> list[_Route]:
    models = botocore_files(f"{service}/*/service-2.json.gz")
    if not models:
        return []
    model = json.loads(gzip.decompress(max(models).read_bytes()))
    return [_route(each, model["shapes"]) for each in model["operations"].values()]


def _route(operation: Mapping[str, Any], shapes: Mapping[str, Any]) -> _Route:
    path, _, query = operation["http"]["requestUri"].partition("?")
    pattern = _PLACEHOLDER.sub(lambda found: ".+" if found[1] else "[^/]+", re.escape(path))
    shape = shapes[operation["input"]["shape"]] if "input" in operation else {}
    members = [shape["members"][name] for name in shape.get("required", ())]
    needed = {each.partition("=")[0] for each in query.split("&") if each}
    needed |= {each["locationName"] for each in members if each.get("location") == "querystring"}
    headers = [each["locationName"] for each in members if each.get("location") == "header"]
    needed |= {name.lower() for name in headers}
    rank = (-len(needed), "deprecated" in operation, operation["name"])
    return _Route(operation["http"]["method"], re.compile(f"{pattern}/?"), needed, rank)
