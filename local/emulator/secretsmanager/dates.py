"""Secrets Manager's dates: changes to the millisecond, accesses to the day."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import time
from typing import SupportsInt

from ministack.services import secretsmanager

from local.emulator.core.patching import adds, replaces
from local.emulator.core.responses import Response, succeeded
from local.emulator.secretsmanager.shared import Data, Handler

DAY_SECONDS = 24 * 60 * 60


@adds(secretsmanager.__dict__, "int")
def keep_milliseconds(number: SupportsInt | str | bytes) -> int | float:
    """Keep the milliseconds of a date.

    ministack cuts them off by `int(time.time())`, so that two changes within a second look like
    one; this is the `int` that it calls.
    """
    return round(number, 3) if isinstance(number, float) else int(number)


@replaces(secretsmanager, "_get_secret_value")
def remember_day_of_access(original: Handler, data: Data) -> Response:
    """Note the day on which a secret and its version were read, if they were.

    ministack notes the second, also of a read that fails, and nothing of the version.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
    """
    _, secret = secretsmanager._resolve(data.get("SecretId"))
    before = (secret or {}).get("LastAccessedDate")
    response = original(data)
    if secret is None:
        return response
    secret["LastAccessedDate"] = before
    if succeeded(response):
        today = time.time() // DAY_SECONDS * DAY_SECONDS
        version = secret["Versions"][json.loads(response[2])["VersionId"]]
        secret["LastAccessedDate"] = version["LastAccessedDate"] = today
    return response
