"""Partition, region and account, as ARNs contain them. Pure: no Pulumi, no boto3."""

from typing import NamedTuple, TypedDict


class LocationArgs(TypedDict):
    """Partition, region and account as arguments of components."""

    partition: str
    region: str
    account_id: str


class Location(NamedTuple):
    """The partition, region and account of a resource."""

    partition: str
    region: str
    account_id: str

    @classmethod
    def of(cls, arn: str) -> "Location":
        """Read them from an ARN, which must have six fields."""
        _, partition, _, region, account_id, _ = arn.split(":", 5)
        return cls(partition, region, account_id)

    @classmethod
    def from_args(cls, args: LocationArgs) -> "Location":
        """Read them from a component's args."""
        return cls(args["partition"], args["region"], args["account_id"])

    @property
    def args(self) -> LocationArgs:
        """The same as arguments of a component."""
        return {
            "partition": self.partition,
            "region": self.region,
            "account_id": self.account_id,
        }

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource; `resource` is the part after the account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def log_group_arn(self, name: str) -> str:
        """Return the ARN of a log group, without `:*`."""
        return self.arn("logs", f"log-group:{name}")
