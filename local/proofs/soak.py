"""Rotates one secret repeatedly while functions are called without pause."""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.config import project
from local.deployment import Deployment
from local.proofs.traffic import Caller, Traffic, rotate

_SETTLED_REQUESTS = 2
_FIELDS = {"host": "database.example", "port": 5432, "dbname": "app"}


def _secret(username: str, **rotation: str | int) -> dict[str, Any]:
    return {
        "fields": {**_FIELDS, "username": username},
        "generate": {"password": {}},
        "rotation": rotation,
    }


STRATEGIES: dict[str, dict[str, Any]] = {
    "singleUser": {"database": _secret("app", strategy="singleUser")},
    "alternatingUsers": {
        "database": _secret("app", strategy="alternatingUsers", adminSecret="admin"),
        "admin": _secret("boss", strategy="singleUser"),
    },
    "random": {"database": _secret("app", strategy="random", overlapHours=1)},
}
"""Strategy -> the secrets of a stack whose secret `database` uses it."""


@dataclass
class Soak:
    """The result of a soak."""

    requests: int = 0
    """Without the cold starts."""
    failures: Counter[str] = field(default_factory=Counter)
    """Error -> how many requests failed with it, without cold starts."""
    cold_starts: int = 0
    """The first requests of the callers, all answered before the first rotation."""
    cold_failures: Counter[str] = field(default_factory=Counter)
    """Error -> how many cold starts failed with it."""
    rotation_seconds: list[float] = field(default_factory=list)
    """From RotateSecret until the new version is current."""
    window_seconds: list[float] = field(default_factory=list)
    """From then until the last response with the previous version; 0 if that was earlier."""


def stack(root: Path, strategy: str, **keys: object) -> project.Stack:
    """Return the stack `dev` with the secrets of a strategy, and other keys of config."""
    changed = {"secrets": STRATEGIES[strategy], "function": {}, "functions": {}, **keys}
    return project.load(root, "dev").changed(**changed)


def soak(deployment: Deployment, name: str, rotations: int, *callers: Caller) -> Soak:
    """Rotate a secret `rotations` times while these callers make requests.

    The first rotation starts when every caller has had its first response. After each rotation
    the database ends the sessions of its users, so that every caller must log in again with the
    old password cached.

    Raises:
        TimeoutError: a caller had no response, or a rotation did not finish, within a minute.

    """
    done, arn = Soak(), deployment.outputs["secret_arns"][name]
    moments: list[tuple[str, float]] = []
    secrets = deployment.client("secretsmanager")
    with Traffic(*callers) as traffic:
        cold = traffic.wait_for_every_caller()
        for _ in range(rotations):
            traffic.wait_for_requests(_SETTLED_REQUESTS)
            before = secrets.describe_secret(SecretId=arn)["VersionIdsToStages"]
            old = next(version for version, stages in before.items() if "AWSCURRENT" in stages)
            start = time.monotonic()
            rotate(deployment, arn)
            moments.append((old, time.monotonic()))
            done.rotation_seconds.append(moments[-1][1] - start)
            deployment.sessions(name, end=True)
        traffic.wait_for_requests(_SETTLED_REQUESTS)
    done.cold_starts = len(cold)
    done.cold_failures = Counter(each.error for each in cold if each.error)
    done.requests = traffic.requests - done.cold_starts
    done.failures = traffic.failures - done.cold_failures
    for old, moment in moments:
        if old in traffic.last_answers:
            done.window_seconds.append(max(0.0, traffic.last_answers[old] - moment))
    return done
