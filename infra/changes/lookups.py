"""Looks up secrets and parameters in AWS, without their values.

The stack's AWS provider makes the calls, also at preview, with the deployer's permissions.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import pulumi
import pulumi_aws as aws

_T = TypeVar("_T")
# Error texts of AWS and of the provider.
_GONE = (
    "ResourceNotFoundException",
    "ParameterNotFound",
    "couldn't find resource",
    "empty result",
)


def current_version(secret_arn: str) -> str | None:
    """Return the id of a secret's AWSCURRENT version; None if it has no value."""
    looked_up = _ask(
        "secretsmanager:ListSecretVersionIds",
        lambda: aws.secretsmanager.get_secret_versions(secret_id=secret_arn),
    )
    for each in looked_up.versions if looked_up else ():
        if "AWSCURRENT" in (each.version_stages or ()):  # the SDK omits them for older versions
            return each.version_id
    return None


def parameter_types(path: str) -> Mapping[str, str]:
    """Return the parameters below a path: full name -> type. SecureStrings stay encrypted."""
    looked_up = _ask(
        "ssm:GetParametersByPath",
        lambda: aws.ssm.get_parameters_by_path(
            path=path.rstrip("/"), recursive=True, with_decryption=False
        ),
    )
    return dict(zip(looked_up.names, looked_up.types, strict=True)) if looked_up else {}


def parameter_version(name: str) -> int | None:
    """Return a parameter's version; None if it does not exist. SecureStrings stay encrypted."""
    looked_up = _ask(
        "ssm:GetParameter",
        lambda: aws.ssm.get_parameter(name=name, with_decryption=False),
    )
    return looked_up.version if looked_up else None


def key_of_alias(name: str, region: str) -> str | None:
    """Return the ARN of an alias's KMS key; None if there is no such alias."""
    looked_up = _ask("kms:ListAliases", lambda: aws.kms.get_alias(name=name, region=region))
    return looked_up.target_key_arn if looked_up else None


def _ask(permission: str, call: Callable[[], _T]) -> _T | None:
    """Call AWS; return None if it does not find the resource.

    Raises:
        pulumi.RunError: any other error.

    """
    try:
        return call()
    except Exception as error:  # the SDK raises no other
        if any(text in str(error) for text in _GONE):
            return None
        raise pulumi.RunError(
            f"cannot find out what this deployment would overwrite or lose: {error}; the deployer"
            f" needs {permission}"
        ) from error
