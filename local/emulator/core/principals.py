"""Principals that a resource policy names: AWS keeps no policy for a role or user that is missing.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
from typing import Any

from ministack.services import iam

_ROLE_OR_USER = re.compile(r"arn:[\w-]+:iam::(\d{12}):(role|user)/(?:.+/)?(.+)")


def as_list(value: Any) -> list[Any]:
    """Return what a policy writes as a list or, if it is one thing, without the list."""
    return value if isinstance(value, list) else [value]


def has_invalid_principal(policy: str) -> bool:
    """Return whether a policy names a missing role or user, or a part of an ARN by a wildcard.

    Accounts that the emulator does not have are taken to have whatever is named.
    """
    return not all(
        _is_valid(str(principal))
        for statement in as_list(json.loads(policy)["Statement"])
        for element in ("Principal", "NotPrincipal")
        if isinstance(named := statement.get(element), dict)
        for principal in as_list(named.get("AWS", []))
    )


def _is_valid(principal: str) -> bool:
    if principal == "*":
        return True
    if "*" in principal or "?" in principal:
        return False
    found = _ROLE_OR_USER.fullmatch(principal)
    if found is None:
        return True
    account, kind, name = found.groups()
    if account not in {opened for opened, _ in iam._users.to_dict()}:  # each has an administrator
        return True
    entities = iam._roles if kind == "role" else iam._users
    entity = entities.get_scoped(account, None, name)
    return entity is not None and entity["Arn"] == principal
