"""Tags of keys: at most 50, each key once, and no key of AWS's own."""
# ruff: noqa: SLF001 (ministack's gaps sit behind private names)

from ministack.services import kms

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response
from local.emulator.kms.shared import Data, Handler

# https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
TAGS = 50
RESERVED = "aws:"


@replaces(kms, "_create_key")
@replaces(kms, "_replicate_key")
@replaces(kms, "_tag_resource")
def refuse_wrong_tags(original: Handler, data: Data) -> Response:
    """Refuse a reserved key, a key that is listed twice, and more than 50 tags.

    ministack takes any tags.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html
    """
    keys = [tag["TagKey"] for tag in data.get("Tags") or []]
    # A replica has tags of its own.
    key = None if "ReplicaRegion" in data else kms._resolve_key(data.get("KeyId", ""))
    there = {tag["TagKey"] for tag in (key or {}).get("Tags", [])}
    message = ""
    if any(each.lower().startswith(RESERVED) for each in keys):
        message = "Tags beginning with aws: are reserved"
    elif len(keys) > len(set(keys)):
        message = "Duplicate tag keys"
    elif len(there | set(keys)) > TAGS:
        message = "Too many tags"
    return error_response("TagException", message) if message else original(data)
