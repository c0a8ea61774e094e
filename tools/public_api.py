"""`python -m tools.public_api`: record the public API, as the sources have it, in docs/api.md.

A test compares the two, so nothing disappears or changes by accident. Signatures are written as
in a stub file: without bodies, docstrings and private names.
"""

import ast
import re
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from tools.jobs import ROOT

PAGE = ROOT / "docs/api.md"
# What a program of one's own needs next to the components: module -> names.
HELPERS = {
    "aws/extension.py": ("ExtensionArgs",),
    "aws/layers.py": ("extension_layer_arn",),
    "aws/location.py": ("Location", "LocationArgs"),
    "components/rotation_function.py": ("AdminArgs", "RotationFunctionArgs", "ScheduleArgs"),
    "components/small_function.py": ("SmallFunctionArgs",),
    "own_files.py": ("HANDLER", "SEEDER"),
    "packaging/client.py": ("files",),
}
_INFRA = ROOT / "infra"
_REDACTION = ROOT / "handler/secret_client/redaction.py"
_CONFIG_ROW = re.compile(r"^\| (`[^|]+`) \| (.+?) \| (.+?) \| ", re.MULTILINE)


def components() -> str:
    """Write the components with their args, a stub of each module."""
    return "\n\n\n".join(
        _listed(_imported_as(path), _stubs(path, names))
        for path in sorted(_INFRA.glob("components/*.py"))
        if (names := _classes_of_component(path))
    )


def helpers() -> str:
    """Write what a program needs next to the components."""
    return "\n\n\n".join(
        _listed(_imported_as(_INFRA / file), _stubs(_INFRA / file, names))
        for file, names in HELPERS.items()
    )


def client() -> str:
    """Write the classes that `secret_client` exports, and the logging filter next to it."""
    folder = ROOT / "handler/secret_client"
    exported = _exported(folder / "__init__.py")
    files = {"secret_client": sorted(folder.glob("*.py")), "secret_redaction": [_REDACTION]}
    names = {"secret_client": exported, "secret_redaction": ("RedactValues",)}
    return "\n\n\n".join(
        _listed(module, [stub for path in files[module] for stub in _stubs(path, names[module])])
        for module in files
    )


def outputs() -> str:
    """List the outputs of a stack."""
    program = (ROOT / "__main__.py").read_text(encoding="utf-8")
    return "\n".join(sorted(re.findall(r'pulumi\.export\("(\w+)"', program)))


def config() -> str:
    """List the config keys, with what each allows and its default."""
    page = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    rows = [row for row in _CONFIG_ROW.findall(page) if row[0] != "`key`"]
    return "\n".join(f"{key.strip('`')}: {allowed}; {default}" for key, allowed, default in rows)


SECTIONS: dict[str, Callable[[], str]] = {
    "Components": components,
    "Next to the components": helpers,
    "The client": client,
    "Outputs of a stack": outputs,
    "Config keys": config,
}
"""Heading in the page -> what writes the block below it."""


def page(text: str) -> str:
    """Write the page with the block below each heading as the sources have it."""
    for heading, write in SECTIONS.items():
        block = re.compile(rf"(^## {heading}\n.*?^```\w*\n).*?(^```$)", re.MULTILINE | re.DOTALL)
        found = block.search(text)
        if found is None:
            raise ValueError(f"{PAGE.name} has no block below the heading {heading!r}; add both")
        text = f"{text[: found.end(1)]}{write()}\n{text[found.start(2) :]}"
    return text


def _listed(module: str, stubs: Iterable[str]) -> str:
    return "\n\n".join([f"# {module}", *stubs])


def _imported_as(path: Path) -> str:
    """Return the name that a module of `infra/` is imported by from the installed package."""
    return ".".join(("lambda_secrets", *path.relative_to(_INFRA).with_suffix("").parts))


def _classes_of_component(path: Path) -> list[str]:
    """Name the component of a module, its args, and what those hold; no component: nothing."""
    classes = [node for node in _tree(path).body if isinstance(node, ast.ClassDef)]
    if not any("pulumi.ComponentResource" in map(ast.unparse, node.bases) for node in classes):
        return []
    return [node.name for node in classes if not node.name.startswith("_")]


def _exported(path: Path) -> tuple[str, ...]:
    """Read `__all__` of a module."""
    (names,) = (
        ast.literal_eval(node.value)
        for node in _tree(path).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return tuple(names)


def _stubs(path: Path, names: Collection[str]) -> Iterator[str]:
    """Yield the stub of each of these names that a module defines."""
    for node in _tree(path).body:
        if isinstance(node, ast.ClassDef) and node.name in names:
            yield _class(node)
        elif isinstance(node, ast.FunctionDef) and node.name in names:
            yield _function(node)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names:
            yield ast.unparse(node.targets[0])


def _class(node: ast.ClassDef) -> str:
    members = [line for child in node.body if (line := _member(child))]
    bases = ", ".join(map(ast.unparse, [*node.bases, *node.keywords]))
    body = textwrap.indent("\n".join(members or ["..."]), "    ")
    return f"class {node.name}{f'({bases})' if bases else ''}:\n{body}"


def _member(node: ast.stmt) -> str:
    """Write a public attribute or method, or `__init__`; of anything else, nothing."""
    if isinstance(node, ast.AnnAssign) and not ast.unparse(node.target).startswith("_"):
        return f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}"
    if isinstance(node, ast.FunctionDef):
        return _function(node) if node.name == "__init__" or node.name[0] != "_" else ""
    return ""


def _function(node: ast.FunctionDef) -> str:
    decorators = [f"@{ast.unparse(each)}" for each in node.decorator_list]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return "\n".join([*decorators, f"def {node.name}({ast.unparse(node.args)}){returns}: ..."])


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def main() -> int:
    """Record the API."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
