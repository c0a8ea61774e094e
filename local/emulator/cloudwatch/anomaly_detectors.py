"""CloudWatch: anomaly detectors are kept and described; nothing trains them."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
from collections.abc import Awaitable, Callable
from typing import Any

import cbor2
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudwatch

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response

Data = dict[str, Any]

_detectors = AccountRegionScopedDict()


@replaces(cloudwatch, "handle_request")
async def handle_anomaly_detectors(
    original: Callable[..., Awaitable[Response]], *request: Any
) -> Response:
    """Answer PutAnomalyDetector, DescribeAnomalyDetectors and DeleteAnomalyDetector.

    Detectors stay untrained.

    ministack lacks the operations.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutAnomalyDetector.html
    """
    _method, path, headers, body, _query = request
    operation = headers.get("x-amz-target", path.rpartition("/")[2]).rpartition(".")[2]
    if operation not in _DETECTORS:
        return await original(*request)
    is_cbor = "cbor" in headers.get("content-type", "")
    answer = _DETECTORS[operation]((cbor2.loads if is_cbor else json.loads)(body or b"{}"))
    response: Response = (cloudwatch._cbor_ok if is_cbor else cloudwatch._json_ok)(answer)
    return response


def _key(detector: Data) -> str:
    """Return what tells detectors apart: their metric, and not how they are configured."""
    configured = {"Configuration", "MetricCharacteristics"}
    metric = {name: value for name, value in detector.items() if name not in configured}
    return json.dumps(metric, sort_keys=True)


def _put_detector(detector: Data) -> Data:
    _detectors[_key(detector)] = detector | {"StateValue": "PENDING_TRAINING"}
    return {}


def _delete_detector(detector: Data) -> Data:
    _detectors.pop(_key(detector), None)
    return {}


def _describe_detectors(wanted: Data) -> Data:
    return {
        "AnomalyDetectors": [
            detector
            for detector in _detectors.values()
            if all(
                wanted.get(name)
                in (None, (detector.get("SingleMetricAnomalyDetector") or detector).get(name))
                for name in ("Namespace", "MetricName", "Dimensions")
            )
        ]
    }


_DETECTORS: dict[str, Callable[[Data], Data]] = {
    "PutAnomalyDetector": _put_detector,
    "DeleteAnomalyDetector": _delete_detector,
    "DescribeAnomalyDetectors": _describe_detectors,
}
