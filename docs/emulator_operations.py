"""The table of docs/emulator-operations.md, from the sources of the emulator."""

import ast
import re
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

from local.emulator import PATCHED_BY
from local.emulator.offered import OFFERED
from local.emulator.simplified import SIMPLIFIED

EMULATOR = Path(__file__).resolve().parent.parent / "local/emulator"
DECORATORS = ("replaces", "adds", "changes")
# What ministack names unlike botocore.
SERVICES = {
    "cloudwatch_logs": "logs",
    "eventbridge": "events",
    "lambda_runtime": "lambda",
    "lambda_svc": "lambda",
}
OPERATIONS = {
    "_get_function_config": "GetFunctionConfiguration",
    "_list_versions": "ListVersionsByFunction",
    "_update_code": "UpdateFunctionCode",
    "_update_config": "UpdateFunctionConfiguration",
}
# Wraps every operation of a service; the docstring of the patch names those that it answers.
EVERY_OPERATION = "handle_request"


class Patch(NamedTuple):
    """A function of the emulator that replaces one of ministack's, or adds one."""

    service: str
    """Empty for what all services share."""
    replaced: str
    file: str
    docstring: str

    @property
    def operations(self) -> list[str]:
        """The operations that it is for; none when it is for what several of them share."""
        known = OFFERED.get(self.service, frozenset())
        if self.replaced == EVERY_OPERATION:
            return sorted(known & set(re.findall(r"\w+", self.docstring)))
        name = OPERATIONS.get(self.replaced, self.replaced).replace("_", "").lower()
        return [each for each in known if each.lower() == name]

    @property
    def why(self) -> str:
        """The first line of the docstring, with the link that the docstring gives."""
        line = self.docstring.partition("\n")[0].replace("|", "\\|")
        link = re.search(r"https://\S+[\w/]", self.docstring)
        return f"{line} [AWS]({link[0]})" if link else line


def rows() -> list[str]:
    """Return the lines of the page: a section for each service, and one for all of them."""
    patches = [patch for module in PATCHED_BY for patch in _patches(module)]
    return [line for service in (*sorted(OFFERED), "") for line in _section(service, patches)]


def _section(service: str, patches: list[Patch]) -> Iterator[str]:
    found = [
        (operation, patch)
        for patch in patches
        if patch.service == service
        for operation in patch.operations or [""]
    ]
    yield f"## {service or 'Every service'}"
    yield ""
    if service:
        yield from _fidelity(service, {operation for operation, _ in found})
    if found:
        yield "| patched | by | what the patch does |"
        yield "|---|---|---|"
        found.sort(key=lambda each: (each[0] == "", each[0]))
        for operation, patch in found:
            name = f"`{operation}`" if operation else "several operations"
            yield f"| {name} | `{patch.file}` | {patch.why} |"
        yield ""


def _fidelity(service: str, patched: Container[str]) -> Iterator[str]:
    """Say of each operation how close it is to AWS."""
    simplified = SIMPLIFIED.get(service, {})
    yield "| operation | how close | |"
    yield "|---|---|---|"
    for operation in sorted(OFFERED[service]):
        how = simplified.get(operation, "")
        close = "simplified" if how else "exact" if operation in patched else "stock"
        yield f"| `{operation}` | {close} | {how} |"
    yield ""


def _patches(module: str) -> Iterator[Patch]:
    path = EMULATOR / f"{module.replace('.', '/')}.py"
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for each in node.decorator_list:
            if isinstance(each, ast.Call) and ast.unparse(each.func) in DECORATORS:
                owner, name = each.args
                root = ast.unparse(owner).partition(".")[0]
                service = SERVICES.get(root, root)
                yield Patch(
                    service if service in OFFERED else "",
                    ast.literal_eval(name),
                    path.relative_to(EMULATOR).as_posix(),
                    ast.get_docstring(node) or "",
                )
