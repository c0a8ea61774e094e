"""EventBridge: the targets that a rule can have, and the text that each of them gets."""
# ruff: noqa: ANN401, SLF001 (ministack is untyped, and its gaps sit behind private names)

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_region
from ministack.services import eventbridge, sns

from local.emulator.core.patching import replaces
from local.emulator.core.responses import Response, error_response

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
TARGETS_PER_RULE = 5
INPUTS = ("Input", "InputPath", "InputTransformer")

_PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
_PREDEFINED = {
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
}

Data = dict[str, Any]


@replaces(eventbridge, "_put_targets")
def refuse_invalid_targets(original: Callable[[Data], Response], data: Data) -> Response:
    """Refuse a sixth target, one in another region, two inputs, and undefined placeholders.

    ministack takes them.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
    """
    for target in data["Targets"]:
        if error := eventbridge._validate_target_arn(target):
            return error  # type: ignore[no-any-return]
        if violation := _violation(target):
            return error_response("ValidationException", violation)
    key = eventbridge._rule_key(data["Rule"], data.get("EventBusName", "default"))
    ids = {target["Id"] for target in [*eventbridge._targets.get(key, ()), *data["Targets"]]}
    if len(ids) > TARGETS_PER_RULE:
        text = "The requested resource exceeds the maximum number allowed."
        return error_response("LimitExceededException", text)
    return original(data)


def _violation(target: Data) -> str | None:
    service, region = target["Arn"].split(":")[2:4]
    if region not in ("", get_region()) and service != "events":
        # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-region.html
        return f"Parameter {target['Arn']} is not valid. Reason: it is not in {get_region()}."
    if sum(name in target for name in INPUTS) > 1:
        return (
            "Only one of Input, InputPath, or InputTransformer must be provided for target "
            f"{target['Id']}."
        )
    transformer = target.get("InputTransformer", {})
    defined = _PREDEFINED | transformer.get("InputPathsMap", {}).keys()
    for name in _PLACEHOLDER.findall(transformer.get("InputTemplate", "")):
        if name not in defined:
            return f"InputTemplate for target {target['Id']} contains invalid placeholder {name}."
    return None


def with_input(target: Data, rule: Data, view: Any) -> Data | None:
    """Return the target with the text that it gets; None if that is not the JSON it should be.

    `view` is ministack's view of the event.
    """
    event = view.event_with_detail()
    if "InputTransformer" in target:
        text = eventbridge._apply_input_transformer(target["InputTransformer"], rule, view)
        if text.lstrip().startswith(("{", "[")) and not _is_json(text):
            return None
    elif "InputPath" in target:
        text = compact(_selected(event, target["InputPath"]))
    else:
        text = target.get("Input") or compact({name: event[name] for name in _in_order(event)})
    others = {name: value for name, value in target.items() if name not in INPUTS}
    return {**others, "Input": text}


def compact(value: Any) -> str:
    """Return JSON without blanks, as EventBridge sends it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@replaces(eventbridge, "_render_placeholder")
def render_compact_json(
    original: Callable[..., str],
    name: str,
    token: str,
    values: Mapping[str, Any],
    in_string: bool,  # noqa: FBT001 (ministack's signature)
) -> str:
    """Write an object or a list in a template without blanks.

    ministack writes blanks.
    """
    value = values.get(name)
    if not isinstance(value, dict | list):
        return original(name, token, values, in_string)
    text = compact(value)
    return text.replace('"', "") if in_string else text


@replaces(eventbridge, "_dispatch_to_sns")
def publish_without_subject(_original: Callable[..., None], arn: str, text: str) -> None:
    """Publish an event without a subject.

    ministack adds one.
    """
    sns.publish_internal(arn, text, "")


def _in_order(event: Data) -> list[str]:
    """Return the names of the members in the order in which AWS sends them.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
    """
    first = ["version", "id", "detail-type", "source", "account", "time", "region", "resources"]
    return [*first, *(name for name in event if name not in first)]


def _selected(event: Any, path: str) -> Any:
    """Return what `$.detail.name` selects; the whole event if there is none."""
    value = event
    for part in filter(None, path.removeprefix("$").split(".")):
        if not isinstance(value, dict) or part not in value:
            return event
        value = value[part]
    return value


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
