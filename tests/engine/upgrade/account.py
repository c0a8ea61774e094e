"""What an account holds that cannot be made again: values, and what they are kept in.

Values are compared by their hashes: a test that fails shows no value.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from local.deployment import Deployment
from local.proofs import leftovers

_KINDS = {"bucket", "key", "log group", "parameter", "secret", "subscription", "topic", "trail"}
_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"
# Nobody calls or trusts by these.
_FREE = {"exemptions", "layer_arn", "monthly_cost"}

Values = Mapping[tuple[str, str, str], str]
"""Region, name, and stage or type -> hash of the value."""


def values(deployed: Deployment) -> Values:
    """Read every secret and parameter in every region of the stack."""
    stack, found = deployed.stack, {}
    others = json.loads(stack.config.get(f"{stack.project}:replicaRegions", "[]"))
    for region in (stack.region, *others):
        for name, stage, value in _read(partial(deployed.aws.client, region=region)):
            found[region, name, stage] = hashlib.sha256(value.encode()).hexdigest()
    return found


def _read(client: Callable[[str], Any]) -> Iterator[tuple[str, str, str]]:
    secrets, parameters = client("secretsmanager"), client("ssm")
    for page in secrets.get_paginator("list_secrets").paginate():
        for each in page["SecretList"]:
            stages = each.get("SecretVersionsToStages", {}).values()
            for stage in {_CURRENT, _PREVIOUS} & {
                stage for version in stages for stage in version
            }:
                read = secrets.get_secret_value(SecretId=each["ARN"], VersionStage=stage)
                yield each["Name"], stage, read["SecretString"]
    for page in parameters.get_paginator("describe_parameters").paginate():
        for each in page["Parameters"]:
            read = parameters.get_parameter(Name=each["Name"], WithDecryption=True)["Parameter"]
            yield read["Name"], read["Type"], read["Value"]


def differing(before: Values, after: Values, rotated: Collection[str] = ()) -> list[str]:
    """Name the values that are not what they were, and those that are new or gone.

    Of secrets that were rotated once in between, the value of before must be the previous one.
    """
    expected = dict(before)
    for region, name, stage in before:
        if name in rotated and stage == _CURRENT:
            expected[region, name, _PREVIOUS] = before[region, name, _CURRENT]
            expected[region, name, _CURRENT] = after.get((region, name, _CURRENT), "none")
            if expected[region, name, _CURRENT] == before[region, name, _CURRENT]:
                expected[region, name, _CURRENT] = "another"
    wrong = {key for key in expected.keys() | after.keys() if expected.get(key) != after.get(key)}
    return sorted(f"{name} ({stage}) in {region}" for region, name, stage in wrong)


def holders(deployed: Deployment) -> set[leftovers.AccountResource]:
    """List what holds data, in every region of the stack."""
    there = leftovers.account(deployed.aws, deployed.stack)
    return {each for each in there if each.kind in _KINDS}


def missing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name the outputs that are gone, or have another value where somebody relies on it."""
    gone = [name for name in before if name not in after]
    for name in before.keys() & after.keys() - _FREE:
        old, new = before[name], after[name]
        if isinstance(old, dict) and isinstance(new, dict):
            gone += [f"{name}.{each}" for each in missing(old, new)]
        elif old != new:
            gone.append(name)
    return sorted(gone)
