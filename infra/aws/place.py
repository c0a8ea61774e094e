"""Where something is: the partition, region and account of its ARN. Pure: no Pulumi, no boto3."""

from typing import NamedTuple, TypedDict


class PlaceArgs(TypedDict):
    """A place as components take it."""

    partition: str
    region: str
    account_id: str


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

    @classmethod
    def from_args(cls, args: PlaceArgs) -> "Place":
        """Take the place from a component's args."""
        return cls(args["partition"], args["region"], args["account_id"])

    @property
    def args(self) -> PlaceArgs:
        """The args of a component that say where it is."""
        return {
            "partition": self.partition,
            "region": self.region,
            "account_id": self.account_id,
        }

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource here, by what its service writes after the account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def log_group_arn(self, name: str) -> str:
        """ARN of a log group, without `:*`."""
        return self.arn("logs", f"log-group:{name}")
