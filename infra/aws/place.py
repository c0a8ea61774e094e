"""Where something is: the partition, region and account of its ARN. Pure: no Pulumi, no boto3."""

from typing import NamedTuple


class Place(NamedTuple):
    """Where something is: the part of an ARN that a policy needs."""

    partition: str
    region: str
    account_id: str

    @classmethod
    def of(cls, arn: str) -> "Place":
        """Take the place from an ARN; no check beyond its six fields."""
        _, partition, _, region, account_id, _ = arn.split(":", 5)
        return cls(partition, region, account_id)

    def log_group_arn(self, name: str) -> str:
        """ARN of a log group, without ``:*``."""
        return f"arn:{self.partition}:logs:{self.region}:{self.account_id}:log-group:{name}"
