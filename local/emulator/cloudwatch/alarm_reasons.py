"""CloudWatch: why an alarm is in its state, as a sentence and as data.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from local.emulator.cloudwatch.alarms import State

COMPARED = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
TREATED_AS = {"breaching": "Breaching", "notBreaching": "NonBreaching"}

Alarm = Mapping[str, Any]


class Datapoint(NamedTuple):
    """A period of an alarm."""

    start: float
    """Seconds since the epoch."""
    value: float | None = None
    """The statistic; None without data."""
    samples: float = 0
    """How many make up the statistic."""


def sentence(alarm: Alarm, datapoints: Sequence[Datapoint], state: State) -> str:
    """Return the reason for a new state; `datapoints` are the evaluated ones, the oldest first."""
    real = [point for point in reversed(datapoints) if point.value is not None]
    if real:
        return f"Threshold Crossed: {_crossed(alarm, real, state)}"
    missing = len(datapoints)
    if state == "INSUFFICIENT_DATA":
        return f"Insufficient Data: {_counted(missing, 'datapoint')} {_be(missing)} unknown."
    treated = TREATED_AS.get(alarm.get("TreatMissingData", ""), "Missing")
    return (
        f"Threshold Crossed: no datapoints were received for {_counted(missing, 'period')} and "
        f"{_counted(missing, 'missing datapoint')} {_be(missing)} treated as [{treated}]."
    )


def data(alarm: Alarm, datapoints: Sequence[Datapoint], now: float) -> str:
    """Return the reason as JSON."""
    real = [point for point in datapoints if point.value is not None]
    document = {
        "version": "1.0",
        "queryDate": iso(now),
        **({"startDate": iso(real[0].start)} if real else {}),
        **({"unit": alarm["Unit"]} if alarm.get("Unit") else {}),
        "statistic": alarm.get("ExtendedStatistic") or alarm["Statistic"],
        "period": alarm["Period"],
        "recentDatapoints": [point.value for point in real],
        "threshold": float(alarm["Threshold"]),
        "evaluatedDatapoints": [_evaluated(point) for point in reversed(datapoints)],
    }
    return json.dumps(document, separators=(",", ":"))


def iso(seconds: float) -> str:
    """Return a time as in messages of alarms: `2026-01-31T12:00:00.000+0000`."""
    date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{date}.{int(seconds * 1000) % 1000:03}+0000"


def _crossed(alarm: Alarm, real: Sequence[Datapoint], state: State) -> str:
    values = ", ".join(f"{float(point.value or 0)} ({_short(point.start)})" for point in real)
    relation = COMPARED[alarm["ComparisonOperator"]]
    if state == "OK":
        relation = f"not {relation}"
    number, threshold = len(real), float(alarm["Threshold"])
    if not alarm.get("DatapointsToAlarm"):
        return (
            f"{_counted(number, 'datapoint')} [{values}] {_be(number)} {relation} the threshold "
            f"({threshold})."
        )
    minimum = _counted(alarm["DatapointsToAlarm"], "datapoint")
    transition = "ALARM -> OK" if state == "OK" else "OK -> ALARM"
    return (
        f"{number} out of the last {number} datapoints [{values}] {_be(number)} {relation} the "
        f"threshold ({threshold}) (minimum {minimum} for {transition} transition)."
    )


def _evaluated(point: Datapoint) -> dict[str, Any]:
    if point.value is None:
        return {"timestamp": iso(point.start)}
    return {"timestamp": iso(point.start), "sampleCount": point.samples, "value": point.value}


def _short(seconds: float) -> str:
    return time.strftime("%d/%m/%y %H:%M:%S", time.gmtime(seconds))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _be(number: int) -> str:
    return "was" if number == 1 else "were"
