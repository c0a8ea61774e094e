"""The JSON that the documentation gives to other people, as tests use it."""

import json
import re
from typing import Any

from tests.recording import ROOT


def documents(heading: str, **values: str) -> list[dict[str, Any]]:
    """Return the JSON of a section of docs/operations.md, with values for its placeholders."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    _, _, section = text.partition(f"\n## {heading}\n")
    found = re.findall(r"^```json\n(.*?)^```", section.split("\n## ")[0], re.MULTILINE | re.DOTALL)
    assert found
    for name, value in values.items():
        assert any(name in each for each in found)
        found = [each.replace(name, value) for each in found]
    return [json.loads(each) for each in found]
