"""Names of parameters: `p` and `/p` are one parameter, and a path has levels of a few characters.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
"""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import re
from collections.abc import Callable

from ministack.services import ssm

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response
from local.emulator.ssm.shared import Data, Handler, validation_error

LEVELS = 15
_NAME = re.compile(r"[A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+)+")
_RULE = (
    'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it '
    "can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of "
    "letters, numbers and the following 3 symbols .-_"
)

Found = tuple[str | None, Data | None]


@replaces(ssm, "_lookup_parameter")
def find_with_or_without_slash(
    original: Callable[..., Found], name: str, *, flexible_name: bool = False, **options: bool
) -> Found:
    """Find a parameter by its name with or without the slash in front.

    ministack finds it only by the name that it was put with.
    """
    del flexible_name
    return original(name, flexible_name=True, **options)


@replaces(ssm, "_select_parameter")
def answer_by_name_asked(
    original: Callable[[str], tuple[Data | None, str | None]], name: str
) -> tuple[Data | None, str | None]:
    """Answer by the name that was asked for.

    ministack answers by the name that the parameter was put with.
    """
    parameter, error = original(name)
    if parameter is not None and not name.startswith("arn:"):
        parameter = {**parameter, "Name": ssm._split_selector(name)[0]}
    return parameter, error


@replaces(ssm, "_put_parameter")
@replaces(ssm, "_get_parameter_history")
@replaces(ssm, "_label_parameter_version")
def use_name_put_first(original: Handler, data: Data) -> Response:
    """Use the name that a parameter was put with first.

    ministack finds nothing by the other, and refuses to overwrite the parameter.
    """
    stored, _ = ssm._lookup_parameter(data.get("Name", ""))
    return original({**data, "Name": stored} if stored else data)


@replaces(ssm, "_get_parameter")
def refuse_malformed_name(original: Handler, data: Data) -> Response:
    """Refuse a name that no parameter can have.

    ministack does not find it.
    """
    name, _ = ssm._split_selector(data.get("Name", ""))
    if not name.startswith("arn:") and not _NAME.fullmatch(name):
        return validation_error(_RULE)
    return original(data)


@replaces(ssm, "_put_parameter")
def check_new_name(original: Handler, data: Data) -> Response:
    """Refuse a name that is malformed or has too many levels.

    ministack takes any name but a reserved one.

    https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    """
    name = data.get("Name", "")
    if "/" in name and not name.startswith("/"):
        return validation_error("Parameter name must be a fully qualified name.")
    if not _NAME.fullmatch(name):
        return validation_error(_RULE)
    if name.count("/") > LEVELS:
        return error_response(
            "HierarchyLevelLimitExceededException",
            f"A hierarchy can have a maximum of {LEVELS} levels.",
        )
    return original(data)
