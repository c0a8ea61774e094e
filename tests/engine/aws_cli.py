#!/usr/bin/env python
"""As much of the AWS CLI as advices and documents use; for want of the CLI.

`aws SERVICE OPERATION`, options by the names of the service's own model, lists as words or
`Key=…,Key=…`, `--query`, and `--output` json or text.
"""

import itertools
import json
import sys
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name


def main(service: str, operation: str, *options: str) -> None:
    session: Any = boto3.Session()
    client = session.client(service)
    model = client.meta.service_model
    (called,) = [each for each in model.operation_names if xform_name(each, "-") == operation]
    shapes = model.operation_model(called).input_shape.members
    members = {f"--{xform_name(member, '-')}": member for member in shapes}
    given = list(options)
    own = {"--query": "@", "--output": "json"}
    request: dict[str, Any] = {}
    while given:
        option = given.pop(0)
        if option in own:
            own[option] = given.pop(0)
            continue
        shape = shapes[members[option]]
        if shape.type_name == "boolean":
            request[members[option]] = True
        elif shape.type_name == "list":
            words = [*itertools.takewhile(lambda word: not word.startswith("--"), given)]
            del given[: len(words)]
            request[members[option]] = [_item(shape.member, word) for word in words]
        else:
            text = given.pop(0)
            value = sys.stdin.read() if text == "file:///dev/stdin" else text
            request[members[option]] = (
                int(value) if shape.type_name in {"integer", "long"} else value
            )
    answer = getattr(client, xform_name(called))(**request)
    answer.pop("ResponseMetadata")
    found = jmespath.search(own["--query"], answer)
    if own["--output"] == "text" and isinstance(found, list):
        found = "\t".join(found)
    as_is = own["--output"] == "text" and isinstance(found, str)
    print(found if as_is else json.dumps(found, indent=4, default=str))  # noqa: T201 (its answer)


def _item(shape: Any, word: str) -> Any:
    """Read an item of a list: a word, or a map such as `Key=Project,Values=one`."""
    if shape.type_name != "structure":
        return word
    pairs = [pair.split("=", 1) for pair in word.split(",")]
    lists = {key for key, member in shape.members.items() if member.type_name == "list"}
    return {key: [value] if key in lists else value for key, value in pairs}


main(*sys.argv[1:])
