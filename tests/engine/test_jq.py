"""The stand-in for jq does what jq does, for the filters that advices and documents use."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.changes import parameters as parameter_changes

TABLE: dict[str, tuple[list[str], object, str]] = {
    "without a resource": (
        ["--arg", "urn", "u:a", parameter_changes._WITHOUT],  # noqa: SLF001 (what is printed)
        {"x": [{"urn": "u:a", "d": []}, {"urn": "u:b", "d": ["u:a", "u:c", {"urn": None}, 1]}]},
        '{"x": [{"urn": "u:b", "d": ["u:c", {"urn": null}, 1]}]}',
    ),
    "field of a value": (
        ["--arg", "field", "key", "{($field): .}"],
        'a"b\n',
        '{"key": "a\\"b\\n"}',
    ),
    "text as it is": (["-j", "."], "ü\n\n", "ü\n\n"),
    "number as it is": (["-j", "."], 5, "5"),
}


@pytest.mark.parametrize(("arguments", "given", "printed"), TABLE.values(), ids=TABLE)
def test_the_stand_in_prints_what_jq_prints(
    arguments: list[str], given: object, printed: str
) -> None:
    stand_in = [sys.executable, str(Path(__file__).with_name("jq.py"))]
    programs = [stand_in, *([["jq"]] if shutil.which("jq") else [])]
    for program in programs:
        command = [*program, *arguments]
        found = subprocess.check_output(command, input=json.dumps(given), text=True)  # noqa: S603 (jq, or ours)
        assert found == printed or json.loads(found) == json.loads(printed)
