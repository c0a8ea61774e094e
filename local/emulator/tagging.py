"""The Resource Groups Tagging API: the services whose resources it finds by their tags."""
# ruff: noqa: SLF001 (ministack is untyped, and its gaps sit behind private names)

from collections.abc import Iterator
from typing import Any

from ministack.core.responses import get_region
from ministack.services import cloudwatch, cloudwatch_logs, tagging

from local.emulator.core.patching import adds

# https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
Tagged = Iterator[tuple[str, list[dict[str, Any]]]]
"""ARN and tags."""


@adds(tagging._COLLECTORS, "secretsmanager")
def secrets() -> Tagged:
    """Find secrets.

    ministack knows their tags for policies only.
    """
    yield from tagging._collect_secretsmanager()


@adds(tagging._COLLECTORS, "ssm")
def parameters() -> Tagged:
    """Find parameters.

    ministack knows their tags for policies only.
    """
    yield from _here(tagging._collect_ssm())


@adds(tagging._COLLECTORS, "logs")
def log_groups() -> Tagged:
    """Find log groups.

    ministack does not.
    """
    for group in cloudwatch_logs._log_groups.values():
        yield group["arn"].removesuffix(":*"), tagging._normalise_flat(group["tags"])


@adds(tagging._COLLECTORS, "cloudwatch")
def alarms() -> Tagged:
    """Find alarms.

    ministack does not.
    """
    tags = cloudwatch._resource_tags.items()
    yield from _here((arn, tagging._normalise_flat(each)) for arn, each in tags)


def _here(found: Tagged) -> Tagged:
    """Leave out what is in another region."""
    return ((arn, tags) for arn, tags in found if arn.split(":")[3] == get_region())
