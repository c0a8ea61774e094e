"""Tags of secrets: at most 50, each key once, and no key of AWS's own."""

from collections import Counter

from ministack.services import secretsmanager

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response
from local.emulator.secretsmanager.shared import Data, Handler, usable_secret

# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
TAGS = 50
RESERVED = "aws:"


@replaces(secretsmanager, "_create_secret")
@replaces(secretsmanager, "_tag_resource")
def refuse_wrong_tags(original: Handler, data: Data) -> Response:
    """Refuse a reserved key, a key that is listed twice, and more than 50 tags.

    ministack takes any tags.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html
    """
    keys = [tag["Key"] for tag in data.get("Tags") or []]
    secret = usable_secret(data) or {}
    there = {tag["Key"] for tag in secret.get("Tags", [])}
    reserved = [key for key in keys if key.lower().startswith(RESERVED)]
    twice = [key for key, times in Counter(keys).items() if times > 1]
    message = ""
    if reserved:
        message = f"Tag keys that start with {RESERVED} are reserved: {', '.join(reserved)}"
    elif twice:
        message = f"Tag keys are listed twice: {', '.join(twice)}"
    elif len(there | set(keys)) > TAGS:
        message = f"A secret can have at most {TAGS} tags."
    return error_response("InvalidParameterException", message) if message else original(data)
