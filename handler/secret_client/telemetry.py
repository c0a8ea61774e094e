"""Metrics of the client, for functions whose configuration asks for them."""

import json
import os
from contextlib import suppress
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import SecretError
    from .value import Value


class Telemetry:
    """Prints a line for every read that is not a hit, in CloudWatch's Embedded Metric Format.

    Hits are those since the line before. A miss had to be waited for, a stale value is an old one
    that is served because the next could not be read; its age is the time since it was asked for.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def __init__(self) -> None:
        self.hits = 0

    def emit(
        self,
        name: str,
        seconds: float,
        value: "Value | None",
        error: "SecretError | None" = None,
        age: float = 0.0,
    ) -> None:
        """Print one line.

        Args:
            name: what was asked for.
            seconds: how long that took.
            value: what is served, if anything.
            error: why it could not be read.
            age: of a stale value, in seconds.

        """
        source = "none" if value is None else value.source
        stale = value is not None and error is not None
        hits, self.hits = self.hits, 0
        counts = {
            "Hits": hits,
            "Misses": int(error is None),
            "Stale": int(stale),
            "Failovers": int(error is None and source.startswith("replica:")),
            "Errors": int(value is None),
        }
        metrics = [
            *({"Name": count, "Unit": "Count"} for count in counts),
            {"Name": "Duration", "Unit": "Milliseconds"},
        ]
        line = {
            "FunctionName": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            **counts,
            "Duration": round(seconds * 1000, 3),
            "Name": name,
            "Source": source,
        }
        if stale:
            metrics.append({"Name": "Age", "Unit": "Seconds"})
            line["Age"] = round(age, 3)
        if error is not None:
            line["Reason"] = str(error)
        line["_aws"] = {
            "Timestamp": int(time() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": "LambdaSecrets",
                    "Dimensions": [["FunctionName"]],
                    "Metrics": metrics,
                }
            ],
        }
        # In one write: lines of threads must not mix. A closed log must not lose the value.
        with suppress(OSError, ValueError):
            print(json.dumps(line) + "\n", end="")  # noqa: T201 (Lambda takes metrics from the log)
