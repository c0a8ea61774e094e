"""The one provider of the component and program tests: plausible outputs, nothing made.

It proves what is asked of AWS, not that AWS would agree; tests/local does that.
"""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pulumi.runtime.proto import resource_pb2

from local.config import project
from local.engines.built_in import BuiltInEngine, Registration
from local.provider import provider

ROOT = Path(__file__).resolve().parent.parent
PROJECT: str = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
"""The project's name, which is one's own to change."""
ACCOUNT = "123456789012"
_ADMINISTRATORS = project.load(ROOT, "prod").section("resourcePolicy")["administrators"]
DEPLOYER = f"arn:aws:sts::{ACCOUNT}:assumed-role/{_ADMINISTRATORS[0].rpartition('/')[2]}/session"
VPC = "vpc-0123456789abcdef0"


EXEMPTION = {
    "reason": "A reason that somebody wrote down.",
    "owner": "platform",
    "expires": "9999-12-31",
}
"""An exemption that every level of protection accepts."""
_ARNS = {
    "aws:cloudwatch/logGroup:LogGroup": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{{}}",
    "aws:iam/role:Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "aws:kms/key:Key": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{{}}",
    "aws:s3/bucket:Bucket": "arn:aws:s3:::{}",
    "aws:secretsmanager/secret:Secret": (
        f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:{{}}-AbCdEf"
    ),
    "aws:ssm/parameter:Parameter": f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter{{}}",
}


class Recording:
    """Answers as AWS would, as far as the components look."""

    preview = False
    FUNCTION_VERSION = "7"

    def check(
        self, type_: str, name: str, given: dict[str, Any]
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return provider.check(type_, name, given, suffix="0123456")

    def create(self, type_: str, name: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        service = type_.split(":", 2)[1].split("/", 1)[0]
        physical = inputs.get("name", f"{name}-0123456")
        arn = _ARNS.get(type_, f"arn:aws:{service}:us-east-1:{ACCOUNT}:{{}}").format(physical)
        made = {
            "arn": arn,
            "name": physical,
            "keyId": "0123-key",
            "version": self.FUNCTION_VERSION,
            "prefixListId": "pl-1",
        }
        if type_ == "aws:lambda/invocation:Invocation":
            made["result"] = json.dumps({"VersionId": "v1", "Generated": [], "Updated": []})
        return f"{name}-id", {**inputs, **made}

    def invoke(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        if token == "aws:ec2/getSubnet:getSubnet":
            zone = f"us-east-1{str(args['id'])[-1]}"
            return {"id": args["id"], "vpcId": VPC, "availabilityZone": zone}
        if token == "aws:kms/getAlias:getAlias":
            return {}
        assert token == "aws:index/getCallerIdentity:getCallerIdentity", token
        return {"accountId": ACCOUNT, "arn": DEPLOYER, "userId": "", "id": ""}


def made(build: Callable[[], object]) -> list[Registration]:
    """Run `build` as a program of its own; return what it registered."""
    engine = BuiltInEngine(Recording())
    nothing = project.Stack(ROOT, PROJECT, "test", {}, (), ())
    engine.run(nothing, lambda: (build(), None)[1])
    return engine.registrations


class Requests(BuiltInEngine):
    """Keeps, next to what was registered, how: the options, which no provider sees."""

    def __init__(self, earlier: Mapping[str, Any] | None = None) -> None:
        super().__init__(Recording(), earlier=earlier)
        self._options: dict[str, dict[str, bool]] = {}
        self.aliases: dict[str, list[str]] = {}
        """URN -> other types under which the resource may be in a state; its children, too."""

    def RegisterResource(  # noqa: N802 (the engine's gRPC interface)
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        answer = super().RegisterResource(request)
        self.aliases[answer.urn] = [each.spec.type for each in request.aliases]
        self._options[answer.urn] = {
            "protect": request.protect,
            "retain": request.retainOnDelete,
        }
        return answer

    def with_option(self, option: str) -> set[tuple[str, str]]:
        """Find type and name of each resource with the option `protect` or `retain`."""
        return {
            (urn.split("::")[2].rpartition("$")[2], urn.rpartition("::")[2])
            for urn, given in self._options.items()
            if given[option]
        }


def requested(build: Callable[[], object]) -> Requests:
    """Run `build` as a program of its own; return how it registered what."""
    engine = Requests()
    engine.run(project.Stack(ROOT, PROJECT, "test", {}, (), ()), lambda: (build(), None)[1])
    return engine


def planned(name: str, **changes: object) -> BuiltInEngine:
    """Run the project's program under a stack's file, with top-level config keys replaced.

    Without changes the same engine is returned each time: look at it, and change nothing.
    """
    return _planned(name) if not changes else _run(stack(name, **changes))


@functools.cache
def _planned(name: str) -> BuiltInEngine:
    return _run(stack(name))


def _run(loaded: project.Stack) -> BuiltInEngine:
    engine = BuiltInEngine(Recording())
    engine.run(loaded)
    return engine


def stack(name: str, **changes: Any) -> project.Stack:
    """Load a stack of the project, with top-level config keys replaced.

    Its functions read what is there then; with `function`, they are not.
    """
    loaded = project.load(ROOT, name)
    config = dict(loaded.config)
    if "function" in changes:
        config.pop(f"{PROJECT}:functions", None)
    elif "functions" not in changes:
        functions = loaded.section("functions")
        for section in {"secrets", "parameters"} & changes.keys():
            for each in functions.values():
                each[section] = [key for key in each.get(section, ()) if key in changes[section]]
        changes = {**changes, "functions": functions}
    for key, value in changes.items():
        config[f"{PROJECT}:{key}"] = json.dumps(value)
    return replace(loaded, config=config)


def by_type(registrations: list[Registration], suffix: str) -> list[Registration]:
    """Return those of a type by name: programs register as their inputs arrive."""
    found = [each for each in registrations if each.type.endswith(suffix)]
    return sorted(found, key=lambda each: each.name)


def only(registrations: list[Registration], suffix: str) -> Registration:
    (found,) = by_type(registrations, suffix)
    return found
