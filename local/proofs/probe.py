"""A function that tries to read secrets with its role's credentials, and tells how it went.

What IAM says to it, it says to every function of the role. It answers AWS's error codes and
texts, never a value.
"""

import boto3
from botocore.exceptions import ClientError


def lambda_handler(event: dict[str, list[str]], context: object) -> dict[str, str]:
    """Try to read each of `SecretIds`: `read`, or AWS's error code and text."""
    del context
    client = boto3.client("secretsmanager")
    outcomes = {}
    for secret_id in event["SecretIds"]:
        try:
            client.get_secret_value(SecretId=secret_id)
        except ClientError as error:
            outcomes[secret_id] = str(error)
        else:
            outcomes[secret_id] = "read"
    return outcomes
