"""IAM policy documents about parameters of Parameter Store. Pure functions over plain strings.

Parameter Store encrypts a SecureString on behalf of the caller, with its ARN as encryption
context:
https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
"""

from collections.abc import Sequence
from typing import Any

from ..aws.location import Location
from .iam import MAKE_PASSWORDS, Policy, policy_document, via


def parameter_arn(location: Location, name: str) -> str:
    """ARN of a parameter by its full name, which starts with `/`."""
    return location.arn("ssm", f"parameter{name}")


def read_parameters(parameter_arns: Sequence[str], _key_arn: str = "") -> Policy:
    """Read exactly these parameters, none of them encrypted.

    Only GetParameter: neither the extension nor the SDK fallback reads several at once.
    """
    return policy_document(_read(parameter_arns))


def read_secure_parameters(parameter_arns: Sequence[str], key_arn: str) -> Policy:
    """Read exactly these, and decrypt with the key only through Parameter Store."""
    return policy_document(
        _read(parameter_arns),
        _use_key("DecryptParameters", ["kms:Decrypt"], parameter_arns, key_arn),
    )


def seed_parameters(parameter_arns: Sequence[str], key_arn: str) -> Policy:
    """Read and write exactly these SecureStrings, and generate random passwords."""
    return policy_document(
        {
            "Sid": "SeedParameters",
            "Effect": "Allow",
            "Action": ["ssm:AddTagsToResource", "ssm:GetParameter", "ssm:PutParameter"],
            "Resource": list(parameter_arns),
        },
        _use_key(
            "EncryptParameters",
            # Encrypt is for the Standard tier, GenerateDataKey for the Advanced tier.
            ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            parameter_arns,
            key_arn,
        ),
        MAKE_PASSWORDS,
    )


def _read(parameter_arns: Sequence[str]) -> dict[str, Any]:
    return {
        "Sid": "ReadParameters",
        "Effect": "Allow",
        "Action": "ssm:GetParameter",
        "Resource": list(parameter_arns),
    }


def _use_key(
    sid: str, actions: list[str], parameter_arns: Sequence[str], key_arn: str
) -> dict[str, Any]:
    # By their ends: the key determines service, region and account.
    contexts = [f"arn:*:{arn.split(':', 5)[5]}" for arn in parameter_arns]
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions,
        "Resource": key_arn,
        "Condition": {
            "StringEquals": {"kms:ViaService": via("ssm", Location.of(key_arn))},
            "StringLike": {"kms:EncryptionContext:PARAMETER_ARN": contexts},
        },
    }
