"""Parses the parameters of a request by the shape of its operation, in each of AWS's protocols.

Scalars stay as the protocol has them, except that numbers in text become numbers. A blob is bytes,
or base64 text in JSON.
"""
# ruff: noqa: ANN401 (a parameter is a value of any type, and botocore's models are untyped)

import functools
import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import cbor2

from local.emulator.core.requests import Request

Parameters = dict[str, Any]
Tree = dict[str, "str | Tree"]
"""A form by the parts of its parameters' names: `Tags.member.1.Key` is four levels deep."""

_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "integer": (int, float),
    "long": (int, float),
    "boolean": bool,
    "blob": (str, bytes),
}
# As `re.escape` leaves `{FunctionName}` and `{Key+}`.
_LABEL = re.compile(r"\\\{(\w+)(\\\+)?\\\}")


class MalformedError(ValueError):
    """The body cannot be read, or a value has another type than its shape."""


def parse(operation: Any, request: Request) -> Parameters:
    """Return the parameters by their names in the model, without those that the model lacks.

    `operation` is botocore's model of it, and has an input shape.
    """
    shape = operation.input_shape
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return dict(_typed(shape, _cbor(request.body)))
    if "x-amz-target" in request.headers:
        return dict(_typed(shape, _json(request.body)))
    if "Action" in request.parameters:
        is_ec2 = operation.service_model.metadata["protocol"] == "ec2"
        return dict(_from_tree(shape, _tree(request.parameters), is_ec2=is_ec2))
    return _from_rest(operation, request)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise MalformedError from error


def _cbor(body: bytes) -> Any:
    try:
        return cbor2.loads(body or b"\xa0")
    except (cbor2.CBORDecodeError, ValueError) as error:
        raise MalformedError from error


def _typed(shape: Any, value: Any) -> Any:
    """Take over a value of JSON or CBOR; null counts as missing."""
    kind = shape.type_name
    if kind in _TYPES and not isinstance(value, _TYPES[kind]):
        raise MalformedError
    if kind == "structure":
        return {
            name: _typed(member, item)
            for name, member in shape.members.items()
            if (item := value.get(member.serialization.get("name", name))) is not None
        }
    if kind == "list":
        return [_typed(shape.member, item) for item in value if item is not None]
    if kind == "map":
        return {key: _typed(shape.value, item) for key, item in value.items() if item is not None}
    return value


def _tree(form: Mapping[str, list[str]]) -> Tree:
    root: Tree = {}
    for name, values in form.items():
        *parents, last = name.split(".")
        node = root
        for part in parents:
            child = node.get(part)
            if not isinstance(child, dict):
                child = node[part] = {}
            node = child
        node.setdefault(last, values[0])
    return root


def _from_tree(shape: Any, node: str | Tree, *, is_ec2: bool) -> Any:
    kind = shape.type_name
    if kind not in ("structure", "list", "map"):
        return _scalar(shape, node) if isinstance(node, str) else ""
    tree = node if isinstance(node, dict) else {}  # an empty list is sent as `Tags=`
    parse_inner = functools.partial(_from_tree, is_ec2=is_ec2)
    if kind == "structure":
        return {
            name: parse_inner(member, tree[sent])
            for name, member in shape.members.items()
            if (sent := _name_in_form(name, member, is_ec2=is_ec2)) in tree
        }
    if not (is_ec2 or shape.serialization.get("flattened")):
        wrapper = "entry" if kind == "map" else shape.member.serialization.get("name", "member")
        tree = _subtree(tree, wrapper)
    items = [tree[index] for index in sorted(filter(str.isdecimal, tree), key=int)]
    if kind == "list":
        return [parse_inner(shape.member, item) for item in items]
    key = shape.key.serialization.get("name", "key")
    value = shape.value.serialization.get("name", "value")
    return {
        str(item.get(key, "")): parse_inner(shape.value, item.get(value, ""))
        for item in items
        if isinstance(item, dict)
    }


def _name_in_form(name: str, member: Any, *, is_ec2: bool) -> str:
    serialization = member.serialization
    if is_ec2:
        sent = serialization.get("queryName") or serialization.get("name", name)
        return str(sent[0].upper() + sent[1:])
    if member.type_name == "list" and serialization.get("flattened"):
        return str(member.member.serialization.get("name") or serialization.get("name", name))
    return str(serialization.get("name", name))


def _subtree(tree: Tree, name: str) -> Tree:
    child = tree.get(name)
    return child if isinstance(child, dict) else {}


def _scalar(shape: Any, text: str) -> Any:
    """Return a number as a number, and text as it is where none can be read in it."""
    try:
        return _NUMBERS.get(shape.type_name, str)(text)
    except ValueError:
        return text


def _from_rest(operation: Any, request: Request) -> Parameters:
    labels = _labels(operation, request.path)
    parameters: Parameters = {}
    for name, member in operation.input_shape.members.items():
        location, sent = member.serialization.get("location"), member.serialization.get("name", "")
        if location == "uri":
            texts = [labels[sent]] if sent in labels else []
        elif location == "querystring":
            texts = request.query.get(sent, [])
        elif location == "header":
            texts = [request.headers[sent.lower()]] if sent.lower() in request.headers else []
        else:
            continue
        if texts:
            is_list = member.type_name == "list"
            parameters[name] = texts if is_list else _scalar(member, texts[0])
    return parameters | _from_body(operation, request.body)


@functools.cache
def _path(request_uri: str) -> re.Pattern[str]:
    path = re.escape(request_uri.partition("?")[0])
    return re.compile(
        _LABEL.sub(lambda found: f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})", path) + "/?"
    )


def _labels(operation: Any, path: str) -> dict[str, str]:
    found = _path(operation.http["requestUri"]).fullmatch(path)
    return found.groupdict() if found else {}


def _from_body(operation: Any, body: bytes) -> Parameters:
    shape = operation.input_shape
    if payload := shape.serialization.get("payload"):
        member = shape.members[payload]
        if not body:
            return {}
        is_raw = member.type_name in ("blob", "string")
        return {payload: body if is_raw else _from_document(operation, member, body)}
    in_body = {
        name for name, member in shape.members.items() if "location" not in member.serialization
    }
    parsed = _from_document(operation, shape, body) if in_body else {}
    return {name: value for name, value in parsed.items() if name in in_body}


def _from_document(operation: Any, shape: Any, body: bytes) -> Any:
    if operation.service_model.metadata["protocol"] != "rest-xml":
        return _typed(shape, _json(body))
    try:
        return _from_xml(shape, ET.fromstring(body))  # noqa: S314 (a client of this machine)
    except ET.ParseError as error:
        raise MalformedError from error


def _from_xml(shape: Any, element: ET.Element) -> Any:
    kind = shape.type_name
    children: dict[str, list[ET.Element]] = {}
    for child in element:
        children.setdefault(child.tag.rpartition("}")[2], []).append(child)
    if kind == "structure":
        return {
            name: [_from_xml(member.member, item) for item in elements]
            if member.type_name == "list" and member.serialization.get("flattened")
            else _from_xml(member, elements[0])
            for name, member in shape.members.items()
            if (elements := children.get(member.serialization.get("name", name)))
        }
    if kind == "list":
        name = shape.member.serialization.get("name", "member")
        return [_from_xml(shape.member, item) for item in children.get(name, [])]
    return _scalar(shape, element.text or "")
