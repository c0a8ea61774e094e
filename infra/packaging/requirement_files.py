"""Which requirements can be locked: wheels from an index, by name and version.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement

from . import contents, uv

_NESTED = re.compile(r"(?:-r|-c|--requirements?|--constraints?)(?:\s*=\s*|\s*)(?P<path>\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)\b")
_INDEX = re.compile(
    r"(?P<option>-i|-f|--index-url|--extra-index-url|--find-links)(?:\s*=\s*|\s+)(?P<place>\S.*)"
)
_COMMENT = re.compile(r"(^|\s)#.*$")
_INSTEAD = {
    "editable": "use a version from an index, or add its code to `include`",
    "local": "use a version from an index, or add its code to `include`",
    "vcs": "use a version from an index, or the https URL of a wheel",
    "source": "use a version from an index that has a wheel",
}


class RequirementFiles(NamedTuple):
    """A requirements file with all files that it includes."""

    digest: str
    """Hash of all files, without comments."""
    errors: list[str]
    """Errors, to be read after the key."""
    index_options: list[str]
    """Lines that set package indexes; not in the lock file, because they may be secret."""
    is_empty: bool


def read(path: Path, platform: str) -> RequirementFiles:
    """Read a requirements file and those that it includes; `platform` is for the errors."""
    digest, errors, options, requirements = hashlib.sha256(), [], [], 0
    seen, waiting = {path}, [path]
    while waiting:
        file = waiting.pop(0)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            errors.append(f"must be a file, got {contents.shown(file)!r} ({why})")
            continue
        digest.update(b"\0")  # start of a file; comments and line ends do not count
        for number, line in _lines(text):
            digest.update(f"{line}\n".encode())
            if nested := _NESTED.fullmatch(line):
                new = file.parent / nested["path"].strip("\"'")
                if new not in seen:
                    seen.add(new)
                    waiting.append(new)
            elif option := _INDEX.fullmatch(line):
                options.append(_from(file.parent, option))
            elif problem := _problem(line, file.parent):
                place = f"{contents.shown(file)}:{number}"
                errors.append(
                    f"contains {uv.masked(line)!r} ({place}), {problem[0]}, which cannot be locked"
                    f" for {platform}; {_INSTEAD[problem[1]]}"
                )
            requirements += not line.startswith("-")
    return RequirementFiles(digest.hexdigest(), errors, options, not requirements)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line except comments; a backslash at the end joins two."""
    start, whole = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        start = start if whole else number
        if line.endswith("\\"):
            whole += line[:-1] + " "
            continue
        whole = _COMMENT.sub("", whole + line).strip()
        if whole:
            yield start, whole
        whole = ""
    if whole.strip():
        yield start, whole.strip()


def _from(folder: Path, option: re.Match[str]) -> str:
    """Return an option so that it means the same in a file elsewhere."""
    place = option["place"].strip()
    if "://" not in place and (folder / place).exists():
        place = str((folder / place).resolve())
    return f"{option['option']} {place}"


def _problem(line: str, folder: Path) -> tuple[str, str] | None:
    """Return why a line cannot be locked, and the key of the remedy; or None."""
    if _EDITABLE.match(line):
        return "an editable installation from the deployer's machine", "editable"
    if line.startswith("-"):
        return None  # an option, which uv judges
    try:
        url = Requirement(re.split(r"\s--", line, maxsplit=1)[0].strip()).url or ""
    except InvalidRequirement:
        url = line if re.match(r"[a-z+]+:", line) else f"file:{folder / line}"
    scheme = url.partition(":")[0]
    if not url or (scheme in ("http", "https") and url.partition("#")[0].endswith(".whl")):
        return None
    if "+" in scheme:
        return "a checkout of a repository", "vcs"
    if scheme == "file":
        return "a path on the deployer's machine", "local"
    return "an archive of source code", "source"
