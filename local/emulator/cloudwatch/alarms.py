"""The state of an alarm, by the data points of its evaluation range.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from collections.abc import Callable, Sequence
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
Missing = Literal["missing", "ignore", "breaching", "notBreaching"]

BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def next_state(
    points: Sequence[bool | None],
    *,
    evaluation_periods: int,
    datapoints_to_alarm: int,
    missing: Missing,
    current: State,
) -> State:
    """Return the state after `points`, oldest first: breaching, not breaching, or missing (None).

    There are at least as many as evaluation periods. As many as AWS looks back for more are not
    needed: of what is there, the newest real ones are evaluated first, as AWS does.
    """
    real = [point for point in points if point is not None]
    if len(real) >= evaluation_periods:
        real = real[-evaluation_periods:]
    to_fill = evaluation_periods - len(real)
    if missing == "breaching":
        return "ALARM" if sum(real) + to_fill >= datapoints_to_alarm else "OK"
    if sum(real) >= datapoints_to_alarm:
        return "ALARM"
    if missing == "notBreaching" or not all(real):
        return "OK"
    if missing == "ignore":
        return current
    if not real:
        return "INSUFFICIENT_DATA"
    # All that is there is breaching, and too little: enough if it began long enough ago.
    age = len(points) - points.index(True)
    return "ALARM" if age >= datapoints_to_alarm else "OK"
