"""Where this project's own files are, in a checkout and in an installed wheel. Pure.

A checkout has `handler/` next to this package. The wheel has it inside the package, which is named
`lambda_secrets` there.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PACKED_HANDLER = _PACKAGE / "handler"
_IS_INSTALLED = _PACKED_HANDLER.is_dir()

HANDLER = _PACKED_HANDLER if _IS_INSTALLED else _PACKAGE.parent / "handler"
"""Folder of the functions' sources."""
PROJECT = Path.cwd() if _IS_INSTALLED else _PACKAGE.parent
"""Folder of the Pulumi project, in which Pulumi runs the program."""
SEEDER = {name: HANDLER / name for name in ("secret_json.py", "seed.py", "seed_versions.py")}
"""The package of the function that generates initial values: name in the package -> file."""
