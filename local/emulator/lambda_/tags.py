"""Tags of functions.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html
"""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Callable

from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, invalid

TAGS = 50


@replaces(lambda_svc, "_create_function")
def limit_created_tags(original: Callable[..., Response], data: Data) -> Response:
    """Refuse more than 50 tags.

    ministack takes them.
    """
    return _too_many(data.get("Tags") or {}) or original(data)


@replaces(lambda_svc, "_tag_resource")
def limit_tags(original: Callable[..., Response], arn: str, data: Data) -> Response:
    """Refuse more than 50 tags, none, and tags of a version or an alias.

    ministack tags the function.
    """
    if not data.get("Tags"):
        return invalid("An error occurred and the request cannot be processed.")
    name, _, qualifier = arn.partition(":function:")[2].partition(":")
    if qualifier:
        return invalid(
            "Tags on function aliases and versions are not supported. Please specify a function "
            "ARN."
        )
    present = (lambda_svc._functions.get(name) or {}).get("tags", {})
    return _too_many({**present, **data["Tags"]}) or original(arn, data)


def _too_many(tags: Data) -> Response | None:
    if len(tags) <= TAGS:
        return None
    return invalid("Number of tags exceeds resource tag limit.")
