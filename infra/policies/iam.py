"""IAM and KMS key policy documents. Pure functions over plain strings; JSON-shaped dicts out.

No action contains a wildcard. Each `*` as a resource has a comment with the AWS rule that requires
it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..aws.limits import MANAGED_POLICY_CHARACTERS
from ..aws.location import Location

Policy = dict[str, Any]

# Longest partition, region and the suffix that Secrets Manager appends: what surrounds a
# secret's name in its ARN. `arn:aws-us-gov:secretsmanager:ap-southeast-1:123456789012:secret:`
_ARN_AROUND_NAME = len("arn:aws-us-gov:secretsmanager:ap-southeast-1:123456789012:secret:-AbCdEf")
# The rest of the longest policy that reads secrets: Sids, actions, key, conditions.
_AROUND_ARNS = 620
# What a policy that also writes them adds.
_MORE_FOR_WRITING = 80
# What a replica region adds: its name, its key's ARN, and its Secrets Manager, in both forms.
_A_REPLICA_REGION = 300

_KEY_ADMINISTRATION = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
_KEY_USE_BY_LOGS = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]
MAKE_PASSWORDS = {
    "Sid": "MakePasswords",
    "Effect": "Allow",
    "Action": "secretsmanager:GetRandomPassword",
    # The action supports no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
    "Resource": "*",
}
# https://docs.aws.amazon.com/xray/latest/devguide/security_iam_id-based-policy-examples.html
_TRACE = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]


def policy_document(*statements: dict[str, Any]) -> Policy:
    """Return a policy document with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def assume_role(service: str) -> Policy:
    """Trust policy: `service` (such as `lambda.amazonaws.com`) may assume the role."""
    return policy_document(
        {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
        }
    )


def key_policy(
    location: Location,
    log_group_prefix: str | None = None,
    *,
    parameters: bool = False,
    replication_regions: Sequence[str] = (),
    foreign_readers: Mapping[str, Sequence[str]] | None = None,
) -> Policy:
    """Allow the account to administer the key, and to use it only through Secrets Manager.

    The account's root as principal delegates the decision to IAM: a principal also needs an IAM
    policy. With `log_group_prefix`, CloudWatch Logs may use the key for groups with that prefix;
    with `parameters`, the account may also use it through Parameter Store.

    `replication_regions` are those to or from which secrets under this key are replicated. To
    replicate, Secrets Manager decrypts with one key and encrypts with the other, on behalf of the
    principal that wrote the value. AWS does not document through which region's service it calls
    KMS, so the key may be used through both.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets_troubleshoot.html

    `foreign_readers` are roles of other accounts, by ARN, each with the full names of the secrets
    that it may decrypt.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_examples_cross.html
    """
    services = [
        name
        for region in dict.fromkeys([location.region, *replication_regions])
        for name in via("secretsmanager", location._replace(region=region))
    ]
    statements: list[dict[str, Any]] = [
        administer_key(location),
        {
            "Sid": "UseThroughSecretsManager",
            "Effect": "Allow",
            "Principal": account(location),
            # Encrypt: a secret that moves to this key is encrypted again.
            # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
            "Action": ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
            "Resource": "*",  # in a key policy, `*` means this key
            "Condition": {
                "StringEquals": {
                    "kms:CallerAccount": location.account_id,
                    "kms:ViaService": services,
                }
            },
        },
    ]
    if parameters:
        # Parameter Store encrypts like Secrets Manager, an Advanced parameter with a data key.
        # https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
        through = {
            "kms:CallerAccount": location.account_id,
            "kms:ViaService": via("ssm", location),
        }
        statements.append(
            {
                **statements[-1],
                "Sid": "UseThroughParameterStore",
                "Condition": {"StringEquals": through},
            }
        )
    for number, (role_arn, names) in enumerate((foreign_readers or {}).items(), start=1):
        secrets = [
            # The key exists before the secrets, whose ARNs end in six more characters.
            f"arn:{location.partition}:secretsmanager:*:{location.account_id}:secret:{name}-??????"
            for name in sorted(names)
        ]
        statements.append(
            {
                "Sid": f"DecryptForReader{number}",
                "Effect": "Allow",
                "Principal": {"AWS": role_arn},
                "Action": "kms:Decrypt",
                "Resource": "*",  # in a key policy, `*` means this key
                "Condition": {
                    "StringEquals": {"kms:ViaService": services},
                    "StringLike": {"kms:EncryptionContext:SecretARN": secrets},
                },
            }
        )
    if log_group_prefix is not None:
        statements.append(encrypt_logs(location, f"{log_group_prefix}*"))
    return policy_document(*statements)


def administer_key(location: Location) -> dict[str, Any]:
    """Statement of a key policy: principals to whom IAM allows it administer the key."""
    return {
        "Sid": "AdministerByIam",
        "Effect": "Allow",
        "Principal": account(location),
        "Action": _KEY_ADMINISTRATION,
        "Resource": "*",  # in a key policy, `*` means this key
    }


def encrypt_logs(location: Location, log_groups: str) -> dict[str, Any]:
    """Statement of a key policy: CloudWatch Logs uses the key for log groups with this name."""
    arn = location.log_group_arn(log_groups)
    return {
        "Sid": "EncryptLogs",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{location.region}.{_dns_suffix(location)}"},
        "Action": _KEY_USE_BY_LOGS,
        "Resource": "*",  # in a key policy, `*` means this key
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
    }


def read_secrets(secret_arns: Sequence[str], *key_arns: str, describe: bool = False) -> Policy:
    """Read exactly these secrets, and decrypt with the keys only through Secrets Manager.

    `describe` adds DescribeSecret, which returns no value.

    `key_arns` are the key of the secrets' region and, if they have replicas, the key of each
    replica region. A replica's ARN differs only in the region, so one pattern and the list of
    regions cover all of them, in a policy of nearly the same size.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
    """
    read: dict[str, Any] = {
        "Sid": "ReadSecrets",
        "Effect": "Allow",
        "Action": _reading(describe=describe),
        "Resource": list(secret_arns),
    }
    if len(key_arns) > 1:
        read["Resource"] = [_in_any_region(arn) for arn in secret_arns]
        regions = [Location.of(arn).region for arn in key_arns]
        read["Condition"] = {"StringEquals": {"aws:RequestedRegion": regions}}
    return policy_document(
        read, _use_key("DecryptSecrets", ["kms:Decrypt"], secret_arns, *key_arns)
    )


def read_existing_secrets(key_arns: Mapping[str, str | None], *, describe: bool = False) -> Policy:
    """Read existing secrets: ARN of each -> ARN of its KMS key.

    A secret without a key is encrypted with the AWS managed key, which needs no permission.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    """
    read = {
        "Sid": "ReadExistingSecrets",
        "Effect": "Allow",
        "Action": _reading(describe=describe),
        "Resource": sorted(key_arns),
    }
    keys = sorted({arn for arn in key_arns.values() if arn})
    decrypt = [
        _use_key(
            f"DecryptExistingSecrets{number}",
            ["kms:Decrypt"],
            sorted(arn for arn, own in key_arns.items() if own == key),
            key,
        )
        for number, key in enumerate(keys, start=1)
    ]
    return policy_document(read, *decrypt)


def _reading(*, describe: bool) -> str | list[str]:
    read = "secretsmanager:GetSecretValue"
    return ["secretsmanager:DescribeSecret", read] if describe else read


def send_dead_letters(arn: str) -> Policy:
    """Send failed events to one SQS queue or SNS topic.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    action = "sqs:SendMessage" if ":sqs:" in arn else "sns:Publish"
    return policy_document(
        {"Sid": "SendDeadLetters", "Effect": "Allow", "Action": action, "Resource": arn}
    )


def seed_secrets(secret_arns: Sequence[str], *key_arns: str) -> Policy:
    """Read and write exactly these secrets, and generate random passwords.

    `key_arns` are as for `read_secrets`.
    """
    return policy_document(
        {
            "Sid": "SeedSecrets",
            "Effect": "Allow",
            "Action": [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:ListSecretVersionIds",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            "Resource": list(secret_arns),
        },
        _use_key("EncryptSecrets", _writing(*key_arns), secret_arns, *key_arns),
        MAKE_PASSWORDS,
    )


def rotate_secrets(
    secret_arns: Sequence[str],
    admin_arn: str | None,
    admin_key_arn: str | None,
    *key_arns: str,
    history: bool,
) -> Policy:
    """Rotate exactly these secrets; read the admin secret with which other users are changed.

    With `history`, also list older versions, because a user may still log in with one of them.
    `key_arns` are as for `read_secrets`. The admin secret is read only in the stack's own region,
    and decrypted with `admin_key_arn`, or with the AWS managed key without one.
    """
    statements = [
        {
            "Sid": "RotateSecret",
            "Effect": "Allow",
            "Action": [
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                *(["secretsmanager:ListSecretVersionIds"] if history else []),
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            "Resource": secret_arns[0] if len(secret_arns) == 1 else sorted(secret_arns),
        },
        _use_key("EncryptSecret", _writing(*key_arns), sorted(secret_arns), *key_arns),
        MAKE_PASSWORDS,
    ]
    if admin_arn is not None:
        admin = (
            read_secrets([admin_arn], admin_key_arn)
            if admin_key_arn
            else read_existing_secrets({admin_arn: None})
        )
        statements += admin["Statement"]
    return policy_document(*statements)


def use_network() -> Policy:
    """Manage network interfaces in a VPC, which Lambda creates on behalf of the role.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    return policy_document(
        {
            "Sid": "UseNetwork",
            "Effect": "Allow",
            "Action": [
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:UnassignPrivateIpAddresses",
            ],
            # Lambda checks these before an interface exists.
            "Resource": "*",
        }
    )


def write_logs(log_group_arn: str) -> Policy:
    """Write to streams of one existing log group."""
    return policy_document(
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{log_group_arn}:*",
        }
    )


def write_traces() -> Policy:
    """Send segments to X-Ray."""
    return policy_document(
        {
            "Sid": "WriteTraces",
            "Effect": "Allow",
            "Action": _TRACE,
            # The actions support no resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
            "Resource": "*",
        }
    )


def split_by_size(
    names: Iterable[str], replica_regions: int = 0, *, writing: bool = False
) -> list[list[str]]:
    """Split secret names so that `read_secrets` of each part fits in one managed policy.

    With `writing`, so that `seed_secrets` does.

    It splits names, because the number of policies must be known before the secrets, and so their
    ARNs, exist. The names are sorted, so that the order of a dict moves no secret to another
    policy. Adding or removing a secret may move others: with more than one policy, IAM changes
    them in no particular order, and a reader may briefly be denied a secret that moves.

    Raises:
        ValueError: the regions leave no room for a name.

    """
    parts: list[list[str]] = []
    room = 0
    most = MANAGED_POLICY_CHARACTERS - _AROUND_ARNS - replica_regions * _A_REPLICA_REGION
    most -= _MORE_FOR_WRITING if writing else 0
    for name in sorted(names):
        arn = _ARN_AROUND_NAME + len(name)
        context = len(_context_of(f":secret:{name}-AbCdEf"))
        need = arn + context + 2 * len('"",')
        if need > most:
            raise ValueError(
                f"a policy is too small for {name!r} with {replica_regions} replica regions"
            )
        if need > room:
            parts.append([])
            room = most
        parts[-1].append(name)
        room -= need
    return parts


def count_policies(
    secret_names: Iterable[str],
    replica_regions: int = 0,
    parameter_names: Iterable[Iterable[str]] = (),
    *,
    writing: bool = False,
) -> int:
    """Count the managed policies that grant these secrets, and each list of parameters.

    Raises:
        ValueError: as `split_by_size` does.

    """
    secrets = split_by_size(secret_names, replica_regions, writing=writing)
    return len(secrets) + sum(len(split_by_size(each)) for each in parameter_names)


def _writing(*key_arns: str) -> list[str]:
    """Return the key actions of a writer; it also encrypts with the replica keys.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets_troubleshoot.html
    """
    replication = ["kms:Encrypt"] if len(key_arns) > 1 else []
    return ["kms:Decrypt", *replication, "kms:GenerateDataKey"]


def _use_key(
    sid: str, actions: list[str], secret_arns: Sequence[str], *key_arns: str
) -> dict[str, Any]:
    services = [name for arn in key_arns for name in via("secretsmanager", Location.of(arn))]
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions,
        # The key policy also limits through which regions' services the key can be used.
        "Resource": key_arns[0] if len(key_arns) == 1 else list(key_arns),
        "Condition": {
            "StringEquals": {"kms:ViaService": services},
            "StringLike": {
                "kms:EncryptionContext:SecretARN": [_context_of(arn) for arn in secret_arns]
            },
        },
    }


def _context_of(secret_arn: str) -> str:
    """Match one secret's ARN by its end: the key determines service, region and account.

    This is half as long as the ARN, so that 50 % more secrets fit in a role's policies.
    """
    return f"arn:*:secret:{secret_arn.split(':secret:', 1)[1]}"


def _in_any_region(secret_arn: str) -> str:
    fields = secret_arn.split(":")
    return ":".join([*fields[:3], "*", *fields[4:]])


def via(service: str, location: Location) -> list[str]:
    """Return the values of `kms:ViaService` for a service in its region."""
    # AWS documents the form with amazonaws.com for every region, and in other partitions writes
    # its own policies with the partition's suffix: both mean only the service.
    suffixes = dict.fromkeys(("amazonaws.com", _dns_suffix(location)))
    return [f"{service}.{location.region}.{suffix}" for suffix in suffixes]


def account(location: Location) -> dict[str, str]:
    """Return the principal for everyone in the account to whom IAM allows the action."""
    return {"AWS": f"arn:{location.partition}:iam::{location.account_id}:root"}


def _dns_suffix(location: Location) -> str:
    suffixes = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
    return suffixes.get(location.partition, "amazonaws.com")
