"""The files of the retrieval client in a package."""

from collections.abc import Iterable
from pathlib import Path

NAME = "secret_client"


def files(handler: Path) -> dict[str, Path]:
    """Return the client's files by their paths in a package; `handler` is the project's folder."""
    client_files = {f"{NAME}/{path.name}": path for path in sorted((handler / NAME).glob("*.py"))}
    return {**client_files, "secret_redaction.py": handler / "secret_redaction.py"}


def is_there(names: Iterable[str]) -> bool:
    """Whether a package has a client, of any version."""
    return any(name == f"{NAME}.py" or name.startswith(f"{NAME}/") for name in names)
