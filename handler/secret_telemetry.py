"""Metrics of ``secret_client``, for functions whose configuration asks for them."""

import json
import os
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from secret_client import Value


class Telemetry:
    """Prints a line for all that is no hit, in CloudWatch's Embedded Metric Format.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """

    def __init__(self) -> None:
        self.hits = 0

    def emit(self, value: "Value | None", *, age: float, seconds: float, **events: int) -> None:
        """Print one line: what was served, how old it is, how long it took, and what happened."""
        hits, self.hits = self.hits, 0
        counts = {"Hits": hits, "Misses": 0, "Stale": 0, "Failovers": 0, "Errors": 0}
        counts |= {name.capitalize(): int(count) for name, count in events.items()}
        metrics = [
            *({"Name": name, "Unit": "Count"} for name in counts),
            {"Name": "Age", "Unit": "Seconds"},
            {"Name": "Duration", "Unit": "Milliseconds"},
        ]
        line = {
            "_aws": {
                "Timestamp": int(time() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": "LambdaSecrets",
                        "Dimensions": [["FunctionName"]],
                        "Metrics": metrics,
                    }
                ],
            },
            "FunctionName": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            **counts,
            "Age": round(age, 3),
            "Duration": round(seconds * 1000, 3),
            "Name": "" if value is None else value.name,
            "Source": "none" if value is None else value.source,
        }
        # In one piece: lines of several threads are not to mix.
        print(json.dumps(line) + "\n", end="")  # noqa: T201 (Lambda takes metrics from the log)
