"""Labels of parameter versions, and tags: of parameters that exist, with names that AWS takes."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.services import ssm

from local.emulator.core.patching import replaces
from local.emulator.core.requests import json_object
from local.emulator.core.responses import Response, error_response, json_response, succeeded
from local.emulator.ssm.shared import Data, Handler

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_LabelParameterVersion.html
LABELS = 10
_LABEL = re.compile(r"(?!aws|ssm)[a-z_.-][a-z0-9_.-]{0,99}", re.IGNORECASE)


@replaces(ssm, "_label_parameter_version")
def refuse_invalid_labels(original: Handler, data: Data) -> Response:
    """Report labels that begin with a digit, `aws` or `ssm`; allow a version 10 labels.

    ministack takes them all.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_LabelParameterVersion.html
    """
    labels = data.get("Labels", [])
    valid = [label for label in labels if _LABEL.fullmatch(label)]
    version = _version(data)
    if version is not None and len({*version.get("Labels", []), *valid}) > LABELS:
        return error_response(
            "ParameterVersionLabelLimitExceeded",
            f"A parameter version can have a maximum of {LABELS} labels.",
        )
    response = original({**data, "Labels": valid})
    if not succeeded(response):
        return response
    invalid = [label for label in labels if label not in valid]
    return json_response(json.loads(response[2]) | {"InvalidLabels": invalid})


@replaces(ssm, "handle_request")
async def remove_labels(original: Callable[..., Awaitable[Response]], *request: Any) -> Response:
    """Answer UnlabelParameterVersion.

    ministack lacks the operation.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_UnlabelParameterVersion.html
    """
    _method, _path, headers, body, _query = request
    if not headers.get("x-amz-target", "").endswith(".UnlabelParameterVersion"):
        return await original(*request)
    data = json_object(body)
    if ssm._lookup_parameter(data.get("Name", ""))[1] is None:
        return error_response("ParameterNotFound", "")
    version = _version(data)
    if version is None:
        return error_response(
            "ParameterVersionNotFound",
            f"Systems Manager could not find version {data['ParameterVersion']} of "
            f"{data['Name']}.",
        )
    asked, labels = data.get("Labels", []), version.get("Labels", [])
    removed = [label for label in asked if label in labels]
    version["Labels"] = [label for label in labels if label not in removed]
    invalid = [label for label in asked if label not in removed]
    return json_response({"RemovedLabels": removed, "InvalidLabels": invalid})


def _version(data: Data) -> Data | None:
    """Return the version of a request, the newest one without a number; None if it is missing."""
    name, parameter = ssm._lookup_parameter(data.get("Name", ""))
    number = data.get("ParameterVersion") or (parameter or {}).get("Version")
    history: list[Data] = ssm._parameter_history.get(name) or []
    return next((each for each in history if each["Version"] == number), None)


@replaces(ssm, "_add_tags_to_resource")
@replaces(ssm, "_list_tags_for_resource")
@replaces(ssm, "_remove_tags_from_resource")
def refuse_tags_of_missing_parameter(original: Handler, data: Data) -> Response:
    """Refuse the tags of a parameter that does not exist.

    ministack keeps them.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html
    """
    is_parameter = data.get("ResourceType", "Parameter") == "Parameter"
    if is_parameter and ssm._lookup_parameter(data.get("ResourceId", ""))[1] is None:
        return error_response(
            "InvalidResourceId",
            "The resource ID is not valid. Verify that you entered the correct ID and try again.",
        )
    return original(data)
