"""What `replicaRegions` must satisfy. Pure: no Pulumi, no boto3."""

from collections import Counter
from collections.abc import Iterator, Sequence

from ...aws import layers
from ..errors import ConfigError


def errors(replica_regions: Sequence[str], region: str) -> Iterator[ConfigError]:
    """Yield an error for each broken rule; `region` is the stack's own, or empty.

    A secret can be replicated only within its partition.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/replicate-secrets.html
    """
    others = layers.regions_beside(region)
    for replica, times in Counter(replica_regions).items():
        if times > 1:
            yield ConfigError("replicaRegions", f"lists {replica} {times} times; keep one")
        if replica == region:
            yield ConfigError(
                "replicaRegions", f"lists {replica}, the stack's own region; remove it"
            )
        elif others and replica not in others:
            yield ConfigError(
                "replicaRegions", f"must be one of {', '.join(others)}, got {replica!r}"
            )
