"""The lines of a stack's file that waive the rules it breaks. Pure: no Pulumi, no boto3."""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta

from .schema import ExemptionSettings

_DAYS = 90
_OWNER, _REASON = "", "WHY"


def lines(
    exemptions: Mapping[str, ExemptionSettings], missing: Collection[str], today: str
) -> str:
    """Return `exemptions` in YAML, with those that are missing or incomplete; else nothing.

    `exemptions` are those that are needed. The placeholders have to be replaced: a preview
    rejects them. One that has expired needs a new reason.
    """
    if not missing:
        return ""
    head = "To waive these rules, complete these lines, and put them in the place of `exemptions`:"
    return "\n".join([head, "", *_yaml(exemptions, missing, today)])


def _yaml(
    exemptions: Mapping[str, ExemptionSettings], missing: Collection[str], today: str
) -> Iterator[str]:
    yield "  exemptions:"
    later = (date.fromisoformat(today) + timedelta(_DAYS)).isoformat()
    for key in dict.fromkeys([*exemptions, *missing]):
        exemption = exemptions.get(key) or ExemptionSettings(reason=_REASON)
        expires = exemption.expires or later
        reason = json.dumps(exemption.reason, ensure_ascii=False)
        if expires < today:
            expires, reason = later, f"{json.dumps(_REASON)} # until {expires}: {reason}"
        yield f"    {key if key.isidentifier() else json.dumps(key)}:"
        yield f"      reason: {reason}"
        yield f"      owner: {json.dumps(exemption.owner or _OWNER, ensure_ascii=False)}"
        yield f"      expires: {json.dumps(expires)}"
