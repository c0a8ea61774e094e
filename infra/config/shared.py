"""Code that the preview and the functions share: a module of `handler/`, loaded by its path.

`handler/` is not on `sys.path` during a deployment, and its modules have short names, because
Lambda imports them from the root of a package. This module is pure.
"""

from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import TYPE_CHECKING

from .. import own_files

__all__ = ["postgres_fields"]


def _load(name: str) -> ModuleType:
    spec = spec_from_file_location(name, own_files.HANDLER / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    import postgres_fields
else:
    postgres_fields = _load("postgres_fields")
