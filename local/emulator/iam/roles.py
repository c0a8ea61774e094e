"""The answers about roles and users."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Callable
from typing import Any

from ministack.services import iam

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

Parameters = dict[str, Any]
Handler = Callable[[Parameters], Response]


@replaces(iam._IAM_HANDLERS, "GetRole")
@replaces(iam._IAM_HANDLERS, "UpdateRole")
@replaces(iam._IAM_HANDLERS, "DeleteRole")
def name_missing_role(original: Handler, parameters: Parameters) -> Response:
    """Name a role that is not there as IAM does.

    ministack has other words.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
    """
    name = iam._p(parameters, "RoleName")
    if name in iam._roles:
        return original(parameters)
    response: Response = iam._error(
        404, "NoSuchEntity", f"The role with name {name} cannot be found."
    )
    return response


@replaces(iam, "_role_xml")
def leave_out_empty_description(original: Callable[..., str], *role: Any, **options: Any) -> str:  # noqa: ANN401 (as the original)
    """Leave out a description that a role does not have.

    ministack answers an empty one.
    """
    return original(*role, **options).replace("<Description></Description>", "")


@replaces(iam, "_user_xml")
def name_type_of_boundary(original: Callable[..., str], *user: Any, **options: Any) -> str:  # noqa: ANN401 (as the original)
    """Name the type of a user's permissions boundary as IAM does.

    ministack names it as the documentation does.
    """
    return original(*user, **options).replace(
        ">PermissionsBoundaryPolicy</PermissionsBoundaryType>", ">Policy</PermissionsBoundaryType>"
    )
