"""Invocations as resources."""

import hashlib
import json
from collections.abc import Iterable

from local.provider import forms
from local.provider.resource import (
    REGION,
    Input,
    Properties,
    RejectedError,
    Resource,
    Session,
    given,
)


class Invocation(Resource):
    """A call to a function on creation; with CRUD also on update and delete."""

    type = "aws:lambda/invocation:Invocation"
    inputs = {
        "functionName": Input(required=True, replaces=True),
        "input": Input(required=True, replaces=True, json=True),
        "lifecycleScope": Input(default="CREATE_ONLY", choices=("CREATE_ONLY", "CRUD")),
        "qualifier": Input(default="$LATEST", replaces=True),
        "region": REGION,
        "tenantId": Input(),
        "terraformKey": Input(default="tf"),
        "triggers": Input(replaces=True),
    }
    outputs = ("result",)

    def errors(self, inputs: Properties) -> Iterable[tuple[str, str]]:
        document = forms.document(inputs.get("input"))
        if inputs.get("lifecycleScope") == "CRUD" and not isinstance(document, dict | None):
            yield "input", "must be a JSON object, because lifecycleScope is not CREATE_ONLY"

    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        payload = _payload(inputs, "create", None)
        outputs = _invoke(session, inputs, payload)
        digest = hashlib.md5(payload, usedforsecurity=False).hexdigest()
        return f"{inputs['functionName']},{inputs['qualifier']},{digest}", outputs

    def read(self, session: Session, id_: str, state: Properties) -> Properties | None:
        return {}

    def update(
        self, session: Session, id_: str, state: Properties, inputs: Properties, changed: set[str]
    ) -> Properties:
        return _invoke(session, inputs, _payload(inputs, "update", state["input"]))

    def delete(self, session: Session, id_: str, state: Properties) -> None:
        if state["lifecycleScope"] == "CRUD":
            _invoke(session, state, _payload(state, "delete", state["input"]))

    def replacing(self, state: Properties, inputs: Properties, changed: set[str]) -> set[str]:
        own = {"input"} if inputs["lifecycleScope"] == "CRUD" else set()
        return super().replacing(state, inputs, changed) - own

    def unknown_after(self, changed: set[str], inputs: Properties) -> set[str]:
        return {"result"} if "input" in changed else set()


def _payload(inputs: Properties, action: str, previous: str | None) -> bytes:
    if inputs["lifecycleScope"] == "CREATE_ONLY":
        return str(inputs["input"]).encode()
    about = {"action": action, "prev_input": json.loads(previous) if previous else None}
    document = {**json.loads(inputs["input"]), inputs["terraformKey"]: about}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _invoke(session: Session, inputs: Properties, payload: bytes) -> Properties:
    answer = session.client("lambda").invoke(
        FunctionName=inputs["functionName"],
        Payload=payload,
        Qualifier=inputs["qualifier"],
        **given(inputs, "tenantId"),
    )
    result = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        # The function's error; errors of this project's functions contain no secret values.
        raise RejectedError(f"invoking {inputs['functionName']}: {result}")
    return {"result": result}
