"""IAM policy documents about parameters of Parameter Store. Pure functions over plain strings.

Parameter Store encrypts a SecureString in the caller's name, in the encryption context of its ARN:
https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
"""

from collections.abc import Sequence
from typing import Any

from ..aws.place import Place
from .iam import MAKE_PASSWORDS, Policy, policy_document, via


def parameter_arn(place: Place, name: str) -> str:
    """ARN of a parameter by its full name, which starts with `/`."""
    return place.arn("ssm", f"parameter{name}")


def read_parameters(parameter_arns: Sequence[str], _key_arn: str = "") -> Policy:
    """Read exactly these parameters, none of them encrypted.

    GetParameter alone: neither the extension nor the SDK's fallback asks for several at once.
    """
    return policy_document(_read(parameter_arns))


def read_secure_parameters(parameter_arns: Sequence[str], key_arn: str) -> Policy:
    """Read exactly these, and decrypt with the key only what Parameter Store hands it."""
    return policy_document(
        _read(parameter_arns),
        _use_key("DecryptParameters", ["kms:Decrypt"], parameter_arns, key_arn),
    )


def seed_parameters(parameter_arns: Sequence[str], key_arn: str) -> Policy:
    """Read and write exactly these SecureStrings, and make random passwords."""
    return policy_document(
        {
            "Sid": "SeedParameters",
            "Effect": "Allow",
            "Action": ["ssm:AddTagsToResource", "ssm:GetParameter", "ssm:PutParameter"],
            "Resource": list(parameter_arns),
        },
        _use_key(
            "EncryptParameters",
            # Encrypt: of the tier Standard; GenerateDataKey: of the tier Advanced.
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
    # By their ends: service, region and account are the key's already.
    contexts = [f"arn:*:{arn.split(':', 5)[5]}" for arn in parameter_arns]
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions,
        "Resource": key_arn,
        "Condition": {
            "StringEquals": {"kms:ViaService": via("ssm", Place.of(key_arn))},
            "StringLike": {"kms:EncryptionContext:PARAMETER_ARN": contexts},
        },
    }
