"""Tags of EC2's resources."""

from collections.abc import Mapping
from typing import Any

from local.provider.resource import (
    Properties,
    Resource,
    Session,
    tag_list,
)


def tag_specifications(type_: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Convert tags to the argument of a creating call."""
    named = [{"ResourceType": type_, "Tags": tag_list(tags)}]
    return {"TagSpecifications": named} if tags else {}


class Tagged(Resource):
    """A resource that is tagged by its id."""

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("ec2").create_tags(Resources=[id_], Tags=tag_list(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("ec2").delete_tags(Resources=[id_], Tags=[{"Key": key} for key in keys])
