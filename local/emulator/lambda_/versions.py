"""Published versions, and the ARNs that they and aliases are answered with.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
"""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, succeeded
from local.emulator.lambda_.answers import Data, edited, invalid, refusal
from local.emulator.lambda_.states import make_pending

_LATEST = "$LATEST"


@replaces(lambda_svc, "_create_function")
def complete_published_version(original: Callable[..., Response], data: Data) -> Response:
    """Give the version that CreateFunction publishes its ARN, and say what it is a version of.

    ministack publishes that version again when the function has not changed.
    """
    response = original(data)
    if response[0] == HTTPStatus.CREATED and data.get("Publish"):
        _complete(data["FunctionName"], "1")
    return response


@replaces(lambda_svc, "_update_code")
def answer_published_version(original: Callable[..., Response], name: str, data: Data) -> Response:
    """Answer UpdateFunctionCode with the version that it publishes.

    ministack answers with the function, and gives the version the function's ARN.
    """
    response = original(name, data)
    if not succeeded(response) or not data.get("Publish"):
        return response
    version = _complete(name, json.loads(response[2])["Version"])
    return response[0], response[1], json.dumps(version).encode()


def _complete(name: str, number: str) -> Data:
    function = lambda_svc._functions[name]
    version = function["versions"][number]
    version["function_revision"] = function["config"]["RevisionId"]
    config: Data = version["config"]
    config["FunctionArn"] = f"{function['config']['FunctionArn']}:{number}"
    make_pending(config)
    return config


@replaces(lambda_svc, "_publish_version")
def check_what_is_published(original: Callable[..., Response], name: str, data: Data) -> Response:
    """Refuse to publish other code, or another revision, than the caller expects.

    ministack ignores what is expected.
    """
    config = (lambda_svc._functions.get(name) or {}).get("config", {})
    expected, actual = data.get("CodeSha256"), config.get("CodeSha256")
    if config and expected not in (None, "", actual):
        return invalid(
            f"CodeSHA256 ({expected}) is different from current CodeSHA256 in {_LATEST} "
            f"({actual}). Please try again with the CodeSHA256 in {_LATEST}."
        )
    return (config and _check_revision(config, data)) or original(name, data)


@replaces(lambda_svc, "_check_revision")
def refuse_stale_revision(
    original: Callable[..., Response | None], *revisions: Data
) -> Response | None:
    """Refuse a stale revision in Lambda's words.

    ministack has others.
    """
    if original(*revisions) is None:
        return None
    return refusal(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the "
        "GetFunction/GetAlias API to retrieve the latest Revision Id",
        HTTPStatus.PRECONDITION_FAILED,
    )


def _check_revision(config: Data, data: Data) -> Response | None:
    response: Response | None = lambda_svc._check_revision(config, data)
    return response


@replaces(lambda_svc, "_delete_function")
def delete_version_only(
    original: Callable[..., Response], name: str, query: Data, path_qualifier: str | None = None
) -> Response:
    """Refuse to delete the unpublished version, and delete a missing version without an error.

    ministack deletes the whole function, and does not find the version.
    """
    qualifier = lambda_svc._qualifier_from_path_or_query(path_qualifier, query)
    if qualifier == _LATEST:
        return invalid(f"{_LATEST} version cannot be deleted without deleting the function.")
    function = lambda_svc._functions.get(name)
    if function and qualifier and qualifier not in function["versions"]:
        return HTTPStatus.NO_CONTENT, {}, b""
    return original(name, query, path_qualifier)


@replaces(lambda_svc, "_get_function")
@replaces(lambda_svc, "_get_function_config")
def answer_with_qualified_arn(
    original: Callable[..., Response], name: str, qualifier: str | None = None
) -> Response:
    """Answer with the ARN that was asked for: of the function, a version or an alias.

    ministack answers with the one that it has stored.
    """

    def qualify(answer: Data) -> None:
        config = answer.get("Configuration", answer)
        arn = lambda_svc._func_arn(name)
        config["FunctionArn"] = f"{arn}:{qualifier}" if qualifier else arn

    return edited(original(name, qualifier), qualify)


@replaces(lambda_svc, "_list_versions")
def list_qualified_arns(original: Callable[..., Response], name: str, query: Data) -> Response:
    """List the ARN of each version.

    ministack lists that of the function for the unpublished one.
    """

    def qualify(answer: Data) -> None:
        for version in answer["Versions"]:
            version["FunctionArn"] = f"{lambda_svc._func_arn(name)}:{version['Version']}"

    return edited(original(name, query), qualify)


@replaces(lambda_svc, "_list_functions")
def list_all_versions(original: Callable[..., Response], query: Data) -> Response:
    """List the published versions as well, if the request is for ALL.

    ministack lists functions only.
    """

    def add_versions(answer: Data) -> None:
        configurations: list[Any] = []
        for config in answer["Functions"]:
            versions = lambda_svc._functions[config["FunctionName"]]["versions"]
            latest = {**config, "FunctionArn": f"{config['FunctionArn']}:{_LATEST}"}
            configurations += [latest, *(versions[each]["config"] for each in versions)]
        answer["Functions"] = configurations

    response = original(query)
    wants_all = lambda_svc._qp_first(query, "FunctionVersion") == "ALL"
    return edited(response, add_versions) if wants_all else response
