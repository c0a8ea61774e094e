"""requirements.txt -> lock file -> the files of its wheels, for a Python version and architecture.

The lock file is next to requirements.txt and should be committed; it is resolved again when
requirements.txt or a file that it includes changes. The wheels are installed once, into the cache.
Nothing comes from the deployer's environment, and nothing is built.
"""

import hashlib
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import binaries, distributions, requirement_files, store, uv
from .requirement_files import RequirementFiles
from .runtimes import Platform

_DIGEST = re.compile(r"^# sha256 (?P<digest>[0-9a-f]{64})$", re.MULTILINE)
_UNREACHABLE = ("Failed to fetch", "Request failed", "was not found in the cache", "error sending")
_WITHOUT_WHEEL = ("no usable wheels", "no wheels with a matching")


class RequirementsError(Exception):
    """Requirements that cannot be resolved or installed; read `args` after the key."""


def lock_path(requirements: Path, platform: Platform) -> Path:
    """Return the path of a requirements file's lock file."""
    suffix = f"{platform.python.runtime}-{platform.architecture}"
    return requirements.with_name(f"{requirements.stem}.{suffix}.lock")


def is_lock(path: Path, requirements: Path | None) -> bool:
    """Whether a file is a lock file of these requirements, which packages omit."""
    if requirements is None:
        return False
    name = re.escape(requirements.stem)
    if not re.fullmatch(rf"{name}\.python\d+\.\d+-(arm64|x86_64)\.lock", path.name):
        return False
    return path.parent.resolve() == requirements.parent.resolve()


def wheels(requirements: Path, platform: Platform, cache: Path) -> dict[str, Path]:
    """Return the files of all wheels: path in the package -> file in the cache.

    Raises:
        RequirementsError: names each requirement that fails, the platform, and what to do.

    """
    files = requirement_files.read(requirements, str(platform))
    if files.errors:
        raise RequirementsError(*files.errors)
    if files.is_empty:
        return {}
    lock = _locked(requirements, files, platform)
    key = hashlib.sha256(f"{platform.uv}\n{lock}".encode()).hexdigest()
    folder = store.folder(
        cache / "wheels" / key, lambda target: _install(lock, files, platform, target)
    )
    return dict(_files(folder))


def _locked(requirements: Path, files: RequirementFiles, platform: Platform) -> str:
    """Return the lock file's text; resolve if it is missing or out of date."""
    path = lock_path(requirements, platform)
    digest = hashlib.sha256(f"{platform.uv}\n{files.digest}".encode()).hexdigest()
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    recorded = _DIGEST.search(text)
    if recorded and recorded["digest"] == digest:
        return text
    with tempfile.TemporaryDirectory() as folder:
        resolved = Path(folder) / "lock"
        resolved.write_text(text, encoding="utf-8")  # uv keeps its versions where it can
        try:
            uv.run(
                *("pip", "compile", requirements.name, "--output-file", str(resolved), "--quiet"),
                *_options(platform),
                *("--generate-hashes", "--no-header", "--no-annotate"),
                *("--no-emit-index-url", "--no-emit-find-links"),
                folder=requirements.parent,
            )
        except uv.UvError as error:
            raise RequirementsError(_refusal(str(error), platform, "resolved")) from error
        text = (
            f"# {requirements.name}, resolved by uv for {platform} ({platform.uv}).\n"
            f"# Commit this file. It is resolved again when {requirements.name} changes.\n"
            f"# sha256 {digest}\n{resolved.read_text(encoding='utf-8')}"
        )
    store.write(path, text.encode())
    return text


def _install(lock: str, files: RequirementFiles, platform: Platform, target: Path) -> None:
    """Install exactly what a lock file lists, and remove what is specific to this machine."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.txt"
        listed.write_text("\n".join([*files.index_options, lock]), encoding="utf-8")
        listed.chmod(0o600)  # the index's URL may have a password
        command = [
            *("pip", "install", "--quiet", "--target", str(target), "-r", str(listed)),
            *_options(platform),
            *("--no-deps", "--require-hashes", "--no-compile-bytecode", "--link-mode", "copy"),
        ]
        try:
            uv.run(*command, folder=target)
        except uv.UvError as error:
            try:
                uv.run(*command, "--offline", folder=target)
            except uv.UvError:
                raise RequirementsError(_refusal(str(error), platform, "installed")) from error
    installed = dict(_files(target))
    wrong = binaries.errors(installed, platform.python.runtime, platform.architecture)
    if messages := [message for _, message in wrong]:
        raise RequirementsError(*messages)
    for name, path in installed.items():
        folder_name, _, file = name.rpartition("/")
        of_installation = (
            folder_name.endswith(".dist-info") and file in distributions.OF_THE_INSTALLATION
        )
        if of_installation or folder_name == "bin":  # commands name the deployer's Python
            path.unlink()


def _options(platform: Platform) -> Iterator[str]:
    yield from ("--python-version", str(platform.python), "--python-platform", platform.uv)
    # uv needs some Python to run; the target is set above.
    yield from ("--only-binary", ":all:", "--python", sys.executable)


def _refusal(reason: str, platform: Platform, what: str) -> str:
    if uv.INSTALL in reason:
        return f"cannot be {what} for {platform}: {reason}"
    if any(text in reason for text in _UNREACHABLE):
        remedy = "run this once where the index can be reached, then commit the lock file"
    elif what == "installed":
        remedy = "delete the lock file to resolve the requirements again"
    elif any(text in reason for text in _WITHOUT_WHEEL):
        remedy = (
            "use a version that has a wheel for this platform, or build a wheel and publish it to"
            " your own index"
        )
    else:
        remedy = "change the requirements"
    return f"cannot be {what} for {platform} ({platform.uv}): {reason}; {remedy}"


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith("."):  # uv's lock
            yield name, path
