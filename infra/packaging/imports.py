"""Imports that a Python function's package cannot satisfy.

Checked are the handler's module and the user's modules that it imports, directly or indirectly,
but not modules that only tests or scripts import, and not installed distributions.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from . import handlers, runtimes

# If a module changes where imports come from, the rest cannot be known.
_MOVED = {"sys.path", "sys.meta_path", "sys.path_hooks"}
_MOVING = {"append", "extend", "insert"}
_DYNAMIC = ("__path__", "sys.modules", "__getattr__")
_CATCHING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
# Names in a condition about where the code runs.
_ENVIRONMENT = {"TYPE_CHECKING", "sys", "os", "platform", "__name__", "__debug__"}


class _Import(NamedTuple):
    module: str
    """Absolute name of the module; empty if it is outside the package."""
    names: tuple[str, ...]
    """Imported names, modules or not."""
    line: int


def errors(
    handler_file: str,
    own: Mapping[str, Path],
    packaged: Collection[str],
    version: runtimes.Version,
    *,
    libraries: bool = False,
) -> Iterator[str]:
    """Yield an error for each import that fails, to be read after the key.

    `own` are the user's files, and `packaged` the names of all files in the package. With
    `libraries`, `own` may contain libraries without metadata: then imports in functions, which are
    often optional in libraries, are checked only in the handler's top package.
    """
    modules = _Modules(packaged, own, runtimes.modules(version))
    messages: list[str] = []
    seen, waiting = {handler_file}, [handler_file]
    while waiting:
        name = waiting.pop(0)
        tree = handlers.parsed(own[name]) if name in own else None
        if not isinstance(tree, ast.Module):
            continue
        if _moves(tree):
            return
        in_library = libraries and name.split("/")[0] != handler_file.split("/", maxsplit=1)[0]
        for each in _imports(tree, name, skip_functions=in_library):
            if missing := modules.missing(each.module):
                messages.append(_message(name, each, missing, version))
            new = [file for file in modules.files(each) if file in own and file not in seen]
            seen.update(new)
            waiting += new
    yield from messages


class _Modules:
    """The modules of a package."""

    def __init__(
        self, packaged: Collection[str], own: Mapping[str, Path], provided: frozenset[str]
    ) -> None:
        self._own, self._provided = own, provided
        self._files: dict[str, str | None] = {}
        for name in packaged:
            self._add(name)

    def _add(self, name: str) -> None:
        *folders, base = name.split("/")
        stem, _, suffix = base.partition(".")
        for depth in range(1, len(folders) + 1):  # a folder is at least a namespace package
            self._files.setdefault(".".join(folders[:depth]), None)
        if suffix.rpartition(".")[2] in ("py", "pyc", "so"):
            module = ".".join(folders if stem == "__init__" else [*folders, stem])
            if suffix == "py" or self._files.get(module) is None:
                self._files[module] = name

    def missing(self, module: str) -> str:
        """Return the part of a module's name that cannot be imported, or nothing."""
        top, *rest = module.split(".")
        if top not in self._files:
            return "" if top in self._provided else top or "."
        name = top
        for part in rest:
            parent, name = name, f"{name}.{part}"
            if name not in self._files:
                return name if self._is_fixed(parent) else ""
        return ""

    def files(self, each: _Import) -> Iterator[str]:
        """Yield the files of the package that an import runs."""
        parts = each.module.split(".")
        names = [".".join(parts[: depth + 1]) for depth in range(len(parts))]
        for name in (*names, *(f"{each.module}.{taken}" for taken in each.names)):
            if file := self._files.get(name):
                yield file

    def _is_fixed(self, module: str) -> bool:
        """Whether a module's submodules are exactly the files in its folder."""
        file = self._files[module]
        if file is None:
            start = f"{module.replace('.', '/')}/"
            return any(name.startswith(start) for name in self._own)
        if file not in self._own or not file.endswith(".py"):
            return False
        text = self._own[file].read_text(encoding="utf-8", errors="replace")
        return not any(dynamic in text for dynamic in _DYNAMIC)


def _message(name: str, each: _Import, missing: str, version: runtimes.Version) -> str:
    if not each.module:
        return f"has a relative import beyond the package root in {name}:{each.line}; fix it"
    return (
        f"imports {missing} in {name}:{each.line}, but neither the package nor"
        f" {version.runtime} has it; add it to `requirements`, or catch ImportError if the"
        " function works without it"
    )


def _moves(tree: ast.Module) -> bool:
    """Whether a module changes where imports come from."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="addsitedir")):
                return True
            case ast.Call(func=ast.Attribute(value=changed, attr=method)) if method in _MOVING:
                pass
            case ast.Assign(targets=[changed]) | ast.AugAssign(target=changed):
                pass
            case _:
                continue
        while isinstance(changed, ast.Subscript):  # sys.path[:0] = ...
            changed = changed.value
        if ast.unparse(changed) in _MOVED:
            return True
    return False


def _imports(tree: ast.Module, name: str, *, skip_functions: bool) -> list[_Import]:
    visitor = _Visitor(name.split("/")[:-1], skip_functions=skip_functions)
    visitor.visit(tree)
    return visitor.imports


class _Visitor(ast.NodeVisitor):
    """Collects imports, except those that may fail because the code handles that."""

    def __init__(self, package: list[str], *, skip_functions: bool) -> None:
        self.imports: list[_Import] = []
        self._package = package
        self._skip_functions = skip_functions
        self._optional = 0
        self._functions = 0

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, (), node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level:
            depth = len(self._package) - node.level + 1
            base = self._package[:depth] if depth > 0 else []
            module = ".".join([*base, *filter(None, [module])]) if base else ""
        self._add(module, tuple(alias.name for alias in node.names), node.lineno)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        guarded = any(_catches(handler.type) for handler in node.handlers)
        self._visit([*node.body, *node.handlers] if guarded else [], optional=True)
        self._visit([] if guarded else [*node.body, *node.handlers], optional=False)
        self._visit([*node.orelse, *node.finalbody], optional=False)

    visit_TryStar = visit_Try  # noqa: N815 (ast's name)

    def visit_With(self, node: ast.With) -> None:
        suppressed = [
            argument
            for item in node.items
            if isinstance(item.context_expr, ast.Call)
            and ast.unparse(item.context_expr.func).endswith("suppress")
            for argument in item.context_expr.args
        ]
        self._visit(node.body, optional=any(map(_catches, suppressed)))

    def visit_If(self, node: ast.If) -> None:
        asked = {each.id for each in ast.walk(node.test) if isinstance(each, ast.Name)}
        asked |= {each.attr for each in ast.walk(node.test) if isinstance(each, ast.Attribute)}
        optional = not self._functions or bool(asked & _ENVIRONMENT)
        self._visit([*node.body, *node.orelse], optional=optional)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._functions += 1
        self._visit(node.body, optional=self._skip_functions)
        self._functions -= 1

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 (ast's name)

    def _visit(self, nodes: Collection[ast.AST], *, optional: bool) -> None:
        self._optional += optional
        for node in nodes:
            self.visit(node)
        self._optional -= optional

    def _add(self, module: str, names: tuple[str, ...], line: int) -> None:
        if not self._optional:
            self.imports.append(_Import(module, names, line))


def _catches(caught: ast.expr | None) -> bool:
    """Whether an exception clause catches a failed import."""
    if caught is None:
        return True
    each = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(ast.unparse(one).rpartition(".")[2] in _CATCHING for one in each)
