"""Functions of several files and of any runtime, in any embedded AWS."""

from __future__ import annotations

import io
import json
import sys
import time
import uuid
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.aws import EmbeddedAws

REGION = "us-east-1"
EXTENSION_LAYER = "arn:aws:lambda:us-east-1:177933569100:layer:AWS-Parameters-and-Secrets:12"
OWN_RUNTIME = f"python{sys.version_info[0]}.{sys.version_info[1]}"

Files = dict[str, str]


class Answer(NamedTuple):
    payload: Any
    """The result, or the error."""
    is_error: bool


def zipped(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if text.startswith("#!") else 0o644) << 16
            archive.writestr(entry, text)
    return content.getvalue()


class Functions:
    """Makes functions, whose role may do anything, and invokes them."""

    def __init__(self, aws: EmbeddedAws) -> None:
        self.client = aws.client("lambda", REGION)
        self._iam = aws.client("iam", REGION)
        self._role = self.make_role("*")

    def make_role(self, *actions: str) -> str:
        """Make a role that may do these; it returns the ARN."""
        name = f"role-{uuid.uuid4().hex[:12]}"
        trust = {"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        role = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))
        if actions:
            document = _document({"Action": actions, "Resource": "*"})
            self._iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
        arn: str = role["Role"]["Arn"]
        return arn

    def make(self, files: Files | str, **options: object) -> str:
        """Make a function of these files, or of `app.py` alone; it returns the name."""
        name = f"function-{uuid.uuid4().hex[:12]}"
        given = {
            "FunctionName": name,
            "Role": self._role,
            "Runtime": OWN_RUNTIME,
            "Handler": "app.handler",
            "Code": {"ZipFile": zipped({"app.py": files} if isinstance(files, str) else files)},
            "Timeout": 60,
        }
        wanted = {key: value for key, value in (given | options).items() if value is not None}
        self.client.create_function(**wanted)
        while self.config(name)["State"] == "Pending":
            time.sleep(0.02)
        return name

    def config(self, name: str) -> dict[str, Any]:
        config: dict[str, Any] = self.client.get_function_configuration(FunctionName=name)
        return config

    def invoke(self, name: str, event: object = None) -> Answer:
        response = self.client.invoke(FunctionName=name, Payload=json.dumps(event))
        with response["Payload"] as payload:
            return Answer(json.loads(payload.read()), "FunctionError" in response)

    def answer(self, files: Files | str, event: object = None, **options: object) -> Answer:
        """Make a function and invoke it."""
        return self.invoke(self.make(files, **options), event)


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow"} | statement]})
