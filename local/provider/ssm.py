"""Systems Manager: parameters."""

from collections.abc import Iterable, Mapping

from local.provider.resource import (
    REGION,
    TAGS,
    AutoName,
    Input,
    Properties,
    Resource,
    Session,
    given,
    tag_list,
    tag_map,
)

_SECURE = "SecureString"
_BY_SIZE = "Intelligent-Tiering"


class Parameter(Resource):
    """A parameter with its value. It is deleted by name, even if it was created again."""

    type = "aws:ssm/parameter:Parameter"
    inputs = {
        "allowedPattern": Input(length=(0, 1024)),
        # The real provider replaces it, because AWS rejects a change.
        "dataType": Input(
            computed=True,
            replaces=True,
            choices=("text", "aws:ec2:image", "aws:ssm:integration"),
        ),
        "description": Input(length=(0, 1024)),
        "insecureValue": Input(computed=True),
        "keyId": Input(computed=True),
        "name": Input(computed=True, replaces=True, auto_name=AutoName(), length=(1, 2048)),
        "overwrite": Input(),
        "region": REGION,
        "tags": TAGS,
        "tier": Input(computed=True, choices=("Standard", "Advanced", _BY_SIZE)),
        "type": Input(required=True, choices=("String", "StringList", _SECURE)),
        "value": Input(computed=True, sensitive=True),
    }
    outputs = ("arn", "hasValueWo", "version")
    one_of = (("insecureValue", "value"),)
    gone = frozenset({"ParameterNotFound"})

    def create(self, session: Session, inputs: Properties) -> str:
        overwrites = bool(inputs.get("overwrite"))
        tags = tag_list(inputs["tags"])
        ssm = session.client("ssm")
        ssm.put_parameter(
            **_put(inputs, inputs.get("keyId")),
            **given(inputs, "dataType"),
            Overwrite=overwrites,
            **({} if overwrites else {"Tags": tags}),  # AWS accepts only one of the two
        )
        name = str(inputs["name"])
        if overwrites and tags:
            ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=name, Tags=tags)
        return name

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        ssm = session.client("ssm")
        parameter = ssm.get_parameter(Name=id_, WithDecryption=True)["Parameter"]
        found = ssm.describe_parameters(
            ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [id_]}]
        )["Parameters"]
        if not found:
            return None
        about = found[0]
        shown = state.get("insecureValue") and parameter["Type"] != _SECURE
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=id_)["TagList"]
        read = {
            "allowedPattern": about.get("AllowedPattern", ""),
            "arn": parameter["ARN"],
            "dataType": about["DataType"],
            "description": about.get("Description", ""),
            "hasValueWo": None,
            "insecureValue": parameter["Value"] if shown else None,
            "keyId": about.get("KeyId", ""),
            "name": parameter["Name"],
            "tags": tag_map(tags),
            "type": parameter["Type"],
            "value": None if shown else parameter["Value"],
            "version": parameter["Version"],
        }
        if (
            state.get("tier") != _BY_SIZE
        ):  # AWS returns the tier that it chose, which is not a difference
            read["tier"] = about["Tier"]
        return read

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> None:
        if changed == {"overwrite"}:
            return
        # Keeps the key if the program sets none.
        put = _put(inputs, inputs.get("keyId") or state.get("keyId"))
        description = (
            {"Description": inputs.get("description", "")} if "description" in changed else {}
        )
        session.client("ssm").put_parameter(**{**put, **description}, Overwrite=True)

    def tag(self, session: Session, id_: str, state: Properties, tags: Mapping[str, str]) -> None:
        session.client("ssm").add_tags_to_resource(
            ResourceType="Parameter", ResourceId=id_, Tags=tag_list(tags)
        )

    def untag(self, session: Session, id_: str, state: Properties, keys: list[str]) -> None:
        session.client("ssm").remove_tags_from_resource(
            ResourceType="Parameter", ResourceId=id_, TagKeys=keys
        )

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        session.client("ssm").delete_parameter(Name=id_)

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        # The real provider reports this only after it has written the value.
        if inputs.get("type") == _SECURE and inputs.get("insecureValue"):
            yield "insecureValue", f"cannot be set with type {_SECURE}"

    def replacing(self, state: Properties, inputs: Properties, changed: set[str]) -> set[str]:
        replaces = super().replacing(state, inputs, changed)
        lowered = state.get("tier") == "Advanced" and inputs.get("tier") == "Standard"
        return replaces | ({"tier"} if lowered else set())

    def unknown_after(self, changed: set[str], inputs: Properties) -> set[str]:
        unknown = {"version"} if changed & {"value", "description"} else set()
        return unknown | ({"value"} if "insecureValue" in changed else set())


def _put(inputs: Properties, key: str | None) -> Properties:
    """Return the arguments of PutParameter."""
    secure = inputs["type"] == _SECURE
    return {
        **given(inputs, "name", "type", "description", "tier"),
        "AllowedPattern": inputs.get("allowedPattern", ""),
        "Value": inputs.get("insecureValue") or inputs.get("value") or "",
        **({"KeyId": key} if secure and key else {}),
    }
