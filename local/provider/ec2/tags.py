"""How what EC2 makes is tagged."""

from collections.abc import Mapping
from typing import Any

from local.provider.resource import (
    Properties,
    Resource,
    Session,
    tag_list,
)


def tag_specifications(type_: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Write tags as a call that makes something takes them."""
    named = [{"ResourceType": type_, "Tags": tag_list(tags)}]
    return {"TagSpecifications": named} if tags else {}


class Tagged(Resource):
    """Tagged by its id."""

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("ec2").create_tags(Resources=[id_], Tags=tag_list(tags))

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("ec2").delete_tags(Resources=[id_], Tags=[{"Key": key} for key in keys])
