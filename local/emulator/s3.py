"""S3: keeps a lifecycle's minimum size for transitions, and who pays for requests."""
# ruff: noqa: ANN401 (ministack is untyped)

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import s3

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

LEAST_SIZE = "x-amz-transition-default-minimum-object-size"

_least_sizes: dict[str, str] = {}


@replaces(s3, "_dispatch")
def keep_lifecycle_minimum_size(
    original: Callable[..., Response], method: str, bucket: str, key: str, *rest: Any
) -> Response:
    """Keep the least size of objects that are moved, and find the request for who pays.

    ministack forgets the size.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
    """
    headers, body, query = rest
    if method == "GET" and "requestPayment" in query:
        query = {**query, "request-payment": query["requestPayment"]}
    status, answered, content = original(method, bucket, key, headers, body, query)
    if "lifecycle" in query and not key and status == HTTPStatus.OK:
        if method == "PUT":
            _least_sizes[bucket] = headers.get(LEAST_SIZE, answered[LEAST_SIZE])
        answered = {**answered, LEAST_SIZE: _least_sizes[bucket]}
    return status, answered, content
