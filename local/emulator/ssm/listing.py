"""Lists of parameters: by path and filter, with the members that each has."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Callable, Sequence

from ministack.services import ssm

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, json_response
from local.emulator.ssm.shared import Data, Handler, validation_error

TAG = "tag:"


@replaces(ssm, "_apply_filter")
def filter_by_tag_and_level(
    original: Callable[..., bool], parameter: Data, key: str, option: str, values: Sequence[str]
) -> bool:
    """Filter by tags, and by a path's own level unless the filter is recursive.

    ministack ignores tags, and is always recursive.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
    """
    if key.startswith(TAG):
        value = ssm._tags.get(parameter["ARN"], {}).get(key.removeprefix(TAG))
        if value is None:
            return False
        if option == "BeginsWith":
            return any(value.startswith(start) for start in values)
        return not values or value in values
    if key == "Path":
        is_recursive = option == "Recursive"
        return any(_is_under(parameter["Name"], path, is_recursive) for path in values)
    return original(parameter, key, option, values)


@replaces(ssm, "_get_parameters_by_path")
def list_by_path(_original: Handler, data: Data) -> Response:
    """List the parameters of a path that pass the filters; `/` has those without a slash, too.

    ministack ignores the filters, and lists no parameter without a slash.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
    """
    path = data.get("Path", "")
    if not path.startswith("/"):
        return validation_error(
            "The parameter path must begin with a slash, and its levels are divided by slashes."
        )
    found = [
        parameter
        for name, parameter in sorted(ssm._parameters.items())
        if _is_under(name, path, bool(data.get("Recursive")))
        and all(
            ssm._apply_filter(
                parameter, each["Key"], each.get("Option", "Equals"), each.get("Values", [])
            )
            for each in data.get("ParameterFilters", [])
        )
    ]
    start = ssm._decode_next_token(data["NextToken"]) if data.get("NextToken") else 0
    end = start + data.get("MaxResults", ssm.DEFAULT_PAGE_SIZE)
    decrypts = bool(data.get("WithDecryption"))
    answer = {"Parameters": [ssm._param_out(each, decrypts) for each in found[start:end]]}
    if end < len(found):
        answer["NextToken"] = ssm._encode_next_token(end)
    return json_response(answer)


def _is_under(name: str, path: str, is_recursive: bool) -> bool:  # noqa: FBT001 (a parameter of the API)
    prefix = path.rstrip("/") + "/"
    full = name if name.startswith("/") else f"/{name}"
    return full.startswith(prefix) and (is_recursive or "/" not in full[len(prefix) :])
