"""Aliases: those of AWS's own keys exist without being made, and only some operations take one."""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

import json
import re

from ministack.services import kms

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response, succeeded
from local.emulator.kms.shared import Data, Handler

PREFIX = "alias/"
OF_AWS = "alias/aws/"
# https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
_OF_AWS = re.compile(r"(?:arn:aws:kms:[^:]+:\d{12}:)?(alias/aws/(secretsmanager|ssm|lambda|sns))")


@replaces(kms, "_create_alias")
def check_alias_name(original: Handler, data: Data) -> Response:
    """Refuse a name without the prefix, and one that is reserved for AWS's own keys.

    ministack has other words for the first, and takes the second.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
    """
    name = data.get("AliasName", "")
    if not name.startswith(PREFIX):
        return error_response(
            "ValidationException",
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        )
    if name.startswith(OF_AWS):
        return error_response("NotAuthorizedException", "")
    return original(data)


@replaces(kms, "_cancel_key_deletion")
@replaces(kms, "_disable_key")
@replaces(kms, "_disable_key_rotation")
@replaces(kms, "_enable_key")
@replaces(kms, "_enable_key_rotation")
@replaces(kms, "_get_key_policy")
@replaces(kms, "_get_key_rotation_status")
@replaces(kms, "_list_key_policies")
@replaces(kms, "_list_resource_tags")
@replaces(kms, "_put_key_policy")
@replaces(kms, "_replicate_key")
@replaces(kms, "_schedule_key_deletion")
@replaces(kms, "_tag_resource")
@replaces(kms, "_untag_resource")
@replaces(kms, "_update_key_description")
def refuse_alias(original: Handler, data: Data) -> Response:
    """Refuse an alias where AWS takes only the id or the ARN of a key.

    ministack takes it.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
    """
    key_id = data.get("KeyId", "")
    if "alias/" in key_id:
        return error_response("NotFoundException", f"Invalid keyId '{key_id}'")
    return original(data)


@replaces(kms, "_describe_key")
def describe_key_of_aws(original: Handler, data: Data) -> Response:
    """Describe the key of an alias such as `alias/aws/ssm`, which is made when it is asked for.

    ministack does not find it.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
    """
    of_aws = _OF_AWS.fullmatch(data.get("KeyId", ""))
    if of_aws and kms._resolve_key(data["KeyId"]) is None:
        alias, service = of_aws.groups()
        made: Response = kms._create_key({"Description": f"Default key of {service}"})
        if not succeeded(made):
            return made
        key_id = json.loads(made[2])["KeyMetadata"]["KeyId"]
        kms._keys[key_id]["_is_managed_by_aws"] = True
        kms._aliases[kms._alias_arn(alias)] = key_id
    return original(data)
