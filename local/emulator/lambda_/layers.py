"""The layers that exist, and those that a function may have.

https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import base64
import contextvars
from collections.abc import Callable, Iterable
from typing import Any

from ministack.core.arn import parse_arn
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import lambda_svc

from local.emulator.core.patching import replaces
from local.emulator.lambda_.answers import invalid

LAYERS_PER_FUNCTION = 5


def publish_layers(arns: Iterable[str], content: bytes) -> None:
    """Publish `content`, a zip, as exactly these layer versions, readable by every account.

    The versions below each need not exist. ValueError for an ARN of something else.
    """
    zip_file = base64.b64encode(content).decode()
    for arn in arns:
        contextvars.copy_context().run(_publish_layer, arn, zip_file)


def _publish_layer(arn: str, zip_file: str) -> None:
    parsed = parse_arn(arn)
    name_and_version = lambda_svc._lambda_layer_version_name_and_number_from_arn_spec(parsed)
    if name_and_version is None:
        raise ValueError(f"{arn} is not the ARN of a layer version")
    name, version = name_and_version
    set_request_account_id(parsed.account_id)
    set_request_region(parsed.region)
    lambda_svc._layers.setdefault(name, {"versions": []})["next_version"] = version
    lambda_svc._publish_layer_version(name, {"Content": {"ZipFile": zip_file}})
    everyone = {"StatementId": "everyone", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    lambda_svc._add_layer_version_permission(name, version, everyone)


@replaces(lambda_svc, "_resolve_cross_account_layer")
def refuse_unknown_layer(
    original: Callable[..., Any], arn: str, parsed: Any, name_and_version: tuple[str, int]
) -> Any:
    """Deny a layer that was never published, as AWS denies one that is not shared.

    ministack attaches it as an empty one.
    """
    name, _ = name_and_version
    if lambda_svc._layers.get_scoped(parsed.account_id, parsed.region, name) is None:
        return lambda_svc._layer_access_denied(arn)
    return original(arn, parsed, name_and_version)


@replaces(lambda_svc, "_normalize_layer_attachments")
def limit_layers(original: Callable[..., Any], layers: list[str] | None) -> Any:
    """Refuse a sixth layer, and a layer twice.

    ministack attaches any number, and any versions.
    """
    if len(layers or ()) > LAYERS_PER_FUNCTION:
        return None, invalid(f"Cannot reference more than {LAYERS_PER_FUNCTION} layers.")
    versions: dict[str, str] = {}
    for arn in layers or ():
        layer = arn.rpartition(":")[0]
        if layer in versions:
            return None, invalid(
                "Two different versions of the same layer are not allowed to be referenced in "
                f"the same function. {versions[layer]} and {arn} are versions of the same layer."
            )
        versions[layer] = arn
    return original(layers)
