"""Whether a package has the handler that the function names."""

import ast
import difflib
import posixpath
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import runtimes

_NODE = (".js", ".mjs", ".cjs")
_TYPESCRIPT = (".ts", ".mts", ".cts")
_FIRST_WITH_TYPESCRIPT = 24
_SHOWN = 10
_DYNAMIC = {"exec", "globals", "setattr", "vars"}


def errors(handler: str, runtime: str, files: Mapping[str, Path]) -> Iterator[str]:
    """Yield the errors of the handler, to be read after its key.

    Checked are handlers of Python and Node, and the `bootstrap` of a custom runtime.
    """
    if version := runtimes.python(runtime):
        yield from _python(handler, version, files)
    elif runtime.startswith("nodejs"):
        yield from _node(handler, runtime, files)
    elif runtime.startswith("provided") and "bootstrap" not in files:
        yield f"needs the program `bootstrap` at the package's root, because {runtime} starts it"


def module_file(handler: str, files: Mapping[str, Path]) -> str | None:
    """Return the file in the package with a Python handler's module, or None."""
    module = handler.rpartition(".")[0].replace(".", "/")
    for name in (
        f"{module}/__init__.py",
        f"{module}.py",
        f"{module}/__init__.pyc",
        f"{module}.pyc",
    ):
        if name in files:
            return name
    compiled = (name for name in files if name.startswith(f"{module}.") and name.endswith(".so"))
    return next(compiled, None)


def parsed(path: Path) -> ast.Module | SyntaxError:
    """Parse a module with this Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as invalid escapes, which only warn
            return ast.parse(path.read_bytes())
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes; too deep
        return SyntaxError(str(error))


def _python(handler: str, version: runtimes.Version, files: Mapping[str, Path]) -> Iterator[str]:
    module, _, function = handler.rpartition(".")
    if not module or not function:
        yield f"must be module.function, got {handler!r}"
        return
    name = module_file(handler, files)
    if name is None:
        wanted = f"{module.replace('.', '/')}.py"
        yield f"names a module that is not in the package, {wanted}{_similar(wanted, files)}"
        return
    if not name.endswith(".py"):
        return
    tree = parsed(files[name])
    if isinstance(tree, ast.Module):
        names = _defined(tree)
        if names is not None and function not in names:
            yield f"must be a function of {name}, got {function!r}; {_instead(function, names)}"
    elif version <= runtimes.THIS:
        yield f"cannot be imported: {name}:{tree.lineno or 1}:{tree.offset or 1} {tree.msg}"


def _instead(function: str, names: set[str]) -> str:
    if close := difflib.get_close_matches(function, names, 1):
        return f"did you mean {close[0]}?"
    return f"it defines {', '.join(sorted(names)[:_SHOWN]) or 'no names at all'}"


def _defined(tree: ast.Module) -> set[str] | None:
    """Names that a module defines at its top level; None if they cannot be known statically."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names):
            return None
        names |= _bound(node)
        if not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
        ):
            waiting += ast.iter_child_nodes(node)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if "__getattr__" in names or used & _DYNAMIC:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            names |= set(node.names)
    return names


def _bound(node: ast.AST) -> set[str]:
    """Names that a node binds by itself."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Import() | ast.ImportFrom():
            return {each.asname or each.name.partition(".")[0] for each in node.names}
        case ast.Name(ctx=ast.Store()):
            return {node.id}
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return {name}
        case _:
            return set()


def _node(handler: str, runtime: str, files: Mapping[str, Path]) -> Iterator[str]:
    # Node's client splits at the first dot of the last part, tries each extension, then resolves:
    # https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/UserFunction.js
    folder, base = posixpath.split(handler)
    stem, _, export = base.partition(".")
    if not stem or not export:
        yield f"must be file.export, got {handler!r}"
        return
    if folder.startswith("/"):  # in a layer
        return
    wanted = posixpath.normpath(posixpath.join(folder, stem))
    endings = ("", *_NODE, *(_TYPESCRIPT if _runs_typescript(runtime) else ()))
    exists = any(f"{wanted}{ending}" in files for ending in endings)
    resolved = (f"{wanted}/", f"node_modules/{stem}/", f"{folder}/node_modules/{stem}/")
    if not exists and not any(name.startswith(resolved) for name in files):
        names, similar = f"{wanted}.js, .mjs or .cjs", _similar(f"{wanted}.js", files)
        yield f"names a file that is not in the package, {names}{similar}"


def _runs_typescript(runtime: str) -> bool:
    version = re.match(r"nodejs(\d+)", runtime)
    return version is not None and int(version[1]) >= _FIRST_WITH_TYPESCRIPT


def _similar(wanted: str, files: Mapping[str, Path]) -> str:
    suffixes = (".py", *_NODE)
    names = [name for name in files if name.endswith(suffixes)]
    close = difflib.get_close_matches(wanted, names, 1)
    root = sorted(name for name in names if "/" not in name)[:_SHOWN]
    if close:
        return f"; did you mean {close[0]}?"
    return f"; its root contains {', '.join(root)}" if root else "; it has no module at its root"
