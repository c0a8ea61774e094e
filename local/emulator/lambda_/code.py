"""The package of a function or a layer: its size, where it comes from, and how it is downloaded.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import lambda_svc, s3

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response
from local.emulator.lambda_.answers import Data, invalid, refusal

UPLOADED_BYTES = 52_428_800

_KEY = secrets.token_bytes(32)
_DOWNLOADS = ("/_ministack/lambda-code/", "/_ministack/lambda-layers/")
_SIGNATURE = re.compile(r"[?&]X-Amz-Signature=([0-9a-z-]*)")


def is_presigned(path: str, query: str) -> bool:
    """Return whether a request downloads a package by a URL that an operation has answered."""
    found = _SIGNATURE.search(f"?{query}")
    return path.startswith(_DOWNLOADS) and bool(
        found and hmac.compare_digest(found[1], _signature(path))
    )


def _signature(path: str) -> str:
    return hmac.new(_KEY, path.encode(), hashlib.sha256).hexdigest()


@replaces(lambda_svc, "_presigned_code_url")
@replaces(lambda_svc, "_layer_content_url")
def sign_download(original: Callable[..., str], *package: Any) -> str:
    """Sign the URL of a package, which anyone who has it may download.

    ministack's can be made by anyone.

    https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html
    """
    address, _, query = original(*package).partition("?")
    path = "/" + address.split("/", 3)[3]
    kept = [each for each in query.split("&") if each and "Signature=" not in each]
    signed = "&".join([*kept, f"X-Amz-Signature={_signature(path)}"])
    return f"{address.replace('//localhost:', '//127.0.0.1:')}?{signed}"


@replaces(lambda_svc, "_create_function")
@replaces(lambda_svc, "_update_code")
@replaces(lambda_svc, "_publish_layer_version")
def check_package(original: Callable[..., Response], *request: Any) -> Response:
    """Refuse an upload of more than 50 MB, and a package that is not in its bucket.

    ministack takes the one, and makes a function without code of the other.
    """
    data = request[-1]
    code = data.get("Code") or data.get("Content") or data
    return _too_large(code) or _missing(code) or original(*request)


def _too_large(code: Data) -> Response | None:
    if len(base64.b64decode(code.get("ZipFile", ""))) < UPLOADED_BYTES:
        return None
    return refusal(
        "RequestEntityTooLargeException",
        f"Zipped size must be smaller than {UPLOADED_BYTES} bytes",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _missing(code: Data) -> Response | None:
    bucket, key = code.get("S3Bucket"), code.get("S3Key")
    if not bucket or not key:
        return None
    if s3.bucket_region(bucket) is None:
        reason = "NoSuchBucket. S3 Error Message: The specified bucket does not exist"
    elif lambda_svc._fetch_code_from_s3(bucket, key, code.get("S3ObjectVersion")) is None:
        reason = "NoSuchKey. S3 Error Message: The specified key does not exist."
    else:
        return None
    return invalid(f"Error occurred while GetObject. S3 Error Code: {reason}")
