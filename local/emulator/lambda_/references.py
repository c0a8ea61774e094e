"""Which function a request names: by its name or its ARN, with or without a qualifier.

https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
"""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import re
from collections.abc import Awaitable, Callable
from typing import Self
from urllib.parse import unquote

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, function_not_found, invalid, not_found

_REFERENCE = re.compile(
    r"(?:arn:[\w-]+:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?"
    r"(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[\w-]+)(?::(?P<qualifier>\$LATEST|[\w-]+))?"
)
_OF_WHOLE_FUNCTIONS = ("concurrency",)
"""Operations on neither a version nor an alias, by the end of their path."""
_FUNCTION = 3
"""The place of the function in the parts of a path: `/2015-03-31/functions/<function>/code`."""


class _Path(str):
    """A request's path, in which the function's name is not taken for another part of it."""

    __slots__ = ("_others",)
    _others: str

    def __new__(cls, parts: list[str]) -> Self:
        path = super().__new__(cls, "/".join(parts))
        path._others = "/".join([*parts[:_FUNCTION], "", *parts[_FUNCTION + 1 :]])
        return path

    def __contains__(self, part: object) -> bool:
        return isinstance(part, str) and part in self._others


@replaces(lambda_svc, "handle_request")
async def resolve_reference(  # noqa: PLR0913, PLR0917 (as the original)
    original: Callable[..., Awaitable[Response]],
    method: str,
    path: str,
    headers: Data,
    body: bytes,
    query: Data,
) -> Response:
    """Take the name and the qualifier out of a reference, and refuse one that is not consistent.

    ministack ignores a second qualifier, does not know a partial ARN, and takes a name such as
    `url-shortener` for another operation.
    """
    parts = unquote(path).split("/")
    if parts[2:_FUNCTION] != ["functions"] or not "".join(parts[_FUNCTION:]):
        return await original(method, path, headers, body, query)
    found = _REFERENCE.fullmatch(parts[_FUNCTION])
    if found and found["account"] in (None, get_account_id()):
        qualifier = lambda_svc._qp_first(query, "Qualifier") or found["qualifier"]
        if error := _inconsistency(found, qualifier, parts[_FUNCTION + 1 :]):
            return error
        parts[_FUNCTION] = ":".join(filter(None, [found["name"], found["qualifier"]]))
    return await original(method, _Path(parts), headers, body, query)


def _inconsistency(
    found: re.Match[str], qualifier: str | None, operation: list[str]
) -> Response | None:
    if found["region"] not in (None, get_region()):
        return not_found(
            f"Functions from '{found['region']}' are not reachable in this region "
            f"('{get_region()}')"
        )
    if found["qualifier"] and found["qualifier"] != qualifier:
        return invalid(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    if qualifier and operation and operation[-1] in _OF_WHOLE_FUNCTIONS:
        return invalid(
            "This operation is permitted on Lambda functions only. Aliases and versions do not "
            "support this operation. Please specify either a function name or an unqualified "
            "function ARN."
        )
    return None


@replaces(lambda_svc, "_create_function")
def take_name_out_of_arn(original: Callable[..., Response], data: Data) -> Response:
    """Create a function under the name in an ARN.

    ministack takes the ARN for the name.
    """
    found = _REFERENCE.fullmatch(data.get("FunctionName", ""))
    if found is None:
        return original(data)
    if error := _inconsistency(found, found["qualifier"], []):
        return error
    return original({**data, "FunctionName": found["name"]})


@replaces(lambda_svc, "_get_function")
@replaces(lambda_svc, "_get_function_config")
def name_missing_qualifier(
    original: Callable[..., Response], name: str, qualifier: str | None = None
) -> Response:
    """Name the version or alias that is not there.

    ministack names the function only.
    """
    function = lambda_svc._functions.get(name)
    if lambda_svc._function_qualifier_exists(function, qualifier):
        return original(name, qualifier)
    return function_not_found(name, qualifier)
