"""Aliases: names of a version, or of two between which invocations are divided.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import (
    Data,
    conflict,
    edited,
    function_not_found,
    invalid,
    not_found,
)

_LATEST = "$LATEST"


@replaces(lambda_svc, "_create_alias")
def check_created_alias(original: Callable[..., Response], name: str, data: Data) -> Response:
    """Refuse an alias that is there, and one of a version that is not.

    ministack takes any version and any weights.
    """
    function = lambda_svc._functions.get(name)
    if function is None:
        return function_not_found(name, data.get("FunctionVersion"))
    if data.get("Name") in function["aliases"]:
        return conflict(f"Alias already exists: {lambda_svc._func_arn(name)}:{data['Name']}")
    return next(_refusals(name, data), None) or original(name, data)


@replaces(lambda_svc, "_update_alias")
def check_updated_alias(
    original: Callable[..., Response], name: str, alias: str, data: Data
) -> Response:
    """Refuse a version that is not there, and weights that do not divide.

    ministack takes any.
    """
    current = (lambda_svc._functions.get(name) or {}).get("aliases", {}).get(alias)
    if current is None:
        return original(name, alias, data)
    return next(_refusals(name, {**current, **data}), None) or original(name, alias, data)


def _refusals(name: str, alias: Data) -> Iterator[Response]:
    """Yield the errors of an alias, in the order in which Lambda reports them."""
    version = alias["FunctionVersion"]
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    if len(weights) > 1:
        yield invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if version in weights:
        yield invalid(
            f"Invalid function version {version}. Function version {version} is already "
            "included in routing configuration."
        )
    if weights and version == _LATEST:
        yield invalid(f"{_LATEST} is not supported for an alias pointing to more than 1 version")
    versions = {_LATEST, *lambda_svc._functions[name]["versions"]}
    for each in (version, *weights):
        if each not in versions:
            yield function_not_found(name, each)


@replaces(lambda_svc, "_get_alias")
def name_missing_alias(original: Callable[..., Response], name: str, alias: str) -> Response:
    """Name the alias that is not there as Lambda does.

    ministack has other words.
    """
    function = lambda_svc._functions.get(name)
    if function and alias not in function["aliases"]:
        return not_found(f"Cannot find alias arn: {lambda_svc._func_arn(name)}:{alias}")
    return original(name, alias)


@replaces(lambda_svc, "_delete_alias")
def delete_missing_alias(original: Callable[..., Response], name: str, alias: str) -> Response:
    """Delete an alias that is not there without an error.

    ministack does not find it.
    """
    function = lambda_svc._functions.get(name)
    if function and alias not in function["aliases"]:
        return HTTPStatus.NO_CONTENT, {}, b""
    return original(name, alias)


@replaces(lambda_svc, "_list_aliases")
def list_aliases_of_version(original: Callable[..., Response], name: str, query: Data) -> Response:
    """List the aliases of one version, if the request names it.

    ministack lists them all.
    """
    version = lambda_svc._qp_first(query, "FunctionVersion")

    def keep_those_of_version(answer: Any) -> None:
        answer["Aliases"] = [
            alias
            for alias in answer["Aliases"]
            if alias["FunctionVersion"] == version
            or version in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        ]

    response = original(name, query)
    return edited(response, keep_those_of_version) if version else response
