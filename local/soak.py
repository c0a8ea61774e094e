"""Rotations of one secret, one after the other, while the function is called without pause."""

import time
from collections import Counter
from dataclasses import dataclass, field

from local.deployment import Deployment
from local.traffic import Traffic, rotate


@dataclass
class Soak:
    """What came of it."""

    requests: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """What failing requests said -> how often."""
    rotation_seconds: list[float] = field(default_factory=list)
    """From RotateSecret until the new version is current."""
    window_seconds: list[float] = field(default_factory=list)
    """From that moment until the last answer by the version of before; 0 when it was earlier."""


def soak(deployment: Deployment, name: str, rotations: int, callers: int) -> Soak:
    """Rotate a secret so often under so many callers.

    After each rotation the database ends its users' sessions: every caller logs in again, with the
    password that was rotated away at hand.
    """
    done, arn = Soak(), deployment.outputs["secret_arns"][name]
    moments: list[tuple[str, float]] = []
    secrets = deployment.client("secretsmanager")
    with Traffic(deployment, callers) as traffic:
        for _ in range(rotations):
            traffic.wait_for_requests(2 * callers)
            before = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
            old = next(version for version, stages in before.items() if "AWSCURRENT" in stages)
            start = time.monotonic()
            rotate(deployment, arn)
            moments.append((old, time.monotonic()))
            done.rotation_seconds.append(moments[-1][1] - start)
            deployment.sessions(name, end=True)
        traffic.wait_for_requests(2 * callers)
    done.requests, done.failures = traffic.requests, traffic.failures
    for old, moment in moments:
        if old in traffic.last_answers:
            done.window_seconds.append(max(0.0, traffic.last_answers[old] - moment))
    return done
