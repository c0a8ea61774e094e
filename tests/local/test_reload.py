"""`make serve` deploys a function again when its code is saved."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config

from tests.recording import ROOT

ANSWER = "from shared import text\n\ndef handle(event, context):\n    return text.ANSWER\n"
RELOADED = re.compile(r"orders: reloaded in \d+ ms\n")


class Served:
    """`python -m local serve` of a project of its own, with the function `orders`."""

    def __init__(self, project: Path, process: subprocess.Popen[str]) -> None:
        self.project, self._process = project, process
        self._exports: dict[str, str] = {}
        while not (line := self.line()).startswith("aws lambda invoke"):
            if found := re.match(r"export (\w+)=(\S+)$", line):
                self._exports[found[1]] = found[2]
        self._alias = line.split()[4]

    def line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "it has ended"
        return line

    def save(self, name: str, text: str) -> None:
        path = self.project / "services" / name
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").replace(path)

    def answer(self) -> Any:
        client = boto3.Session(
            aws_access_key_id=self._exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self._exports["AWS_SECRET_ACCESS_KEY"],
            region_name=self._exports["AWS_REGION"],
        ).client(
            "lambda", endpoint_url=self._exports["AWS_ENDPOINT_URL"], config=Config(proxies={})
        )
        return json.loads(client.invoke(FunctionName=self._alias)["Payload"].read())


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    project, scratch = tmp_path / "project", tmp_path / "scratch"
    scratch.mkdir()
    for name in ("infra", "local", "handler"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, project / name, ignore=ignored)
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(ROOT / name, project)
    (project / "services/orders").mkdir(parents=True)
    (project / "services/shared/shared").mkdir(parents=True)
    (project / "services/orders/main.py").write_text(ANSWER)
    (project / "services/shared/shared/text.py").write_text("ANSWER = 'first'\n")
    config = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]
    config["functions"] = {
        "orders": {
            "code": "services/orders",
            "include": ["services/shared"],
            "handler": "main.handle",
            "secrets": ["database"],
        }
    }
    config.pop("function", None)
    (project / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}))
    environment = {**os.environ, "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"}
    environment |= {"ENGINE": "built-in", "STACK": "dev"}
    with subprocess.Popen(
        [sys.executable, "-m", "local", "serve"],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Served(project, process)
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
    assert list(scratch.iterdir()) == []


@pytest.mark.exhaustive
def test_saved_code_is_deployed_and_code_that_is_no_python_is_not(served: Served) -> None:
    assert served.answer() == "first"
    served.save("shared/shared/text.py", "ANSWER = 'second'\n")
    assert RELOADED.fullmatch(served.line())
    assert served.answer() == "second"

    served.save("orders/main.py", "def handle(event, context)\n    return 1\n")
    line = served.line()
    assert line.startswith("orders: ")
    assert "orders/main.py, line 1: expected ':'" in line
    assert line.endswith("; the previous code stays\n")
    assert served.answer() == "second"

    served.save("shared/shared/text.py", "ANSWER = 'third'\n")  # main.py is still wrong
    assert "orders/main.py, line 1: expected ':'" in served.line()
    assert served.answer() == "second"

    served.save("orders/main.py", ANSWER)
    assert RELOADED.fullmatch(served.line())
    assert served.answer() == "third"
