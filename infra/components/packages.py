"""What a package holds, as Pulumi takes it; which files these are, `infra/packaging` says."""

from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pulumi
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..packaging import bytecode, distributions, runtimes, store, zips

# Measured: see benchmarks/RESULTS.md, "source only".
_COMPILE_MILLIS_PER_LINE = 0.009


def archive(files: Mapping[str, Path], runtime: str) -> pulumi.Archive:
    """Pack the named files, and with each module its bytecode if its Python is installed.

    Pulumi hashes such an archive by names and contents, so neither a file's date nor another file
    next to it publishes a new version of the function. But it loses which files are executable
    (https://github.com/pulumi/pulumi/issues/3593): a package with a program becomes a zip, which
    Pulumi passes on as it is.
    """
    packed = bytecode.added(files, runtime, store.DEFAULT)
    if any(zips.is_executable(name, path) for name, path in packed.items()):
        return pulumi.FileArchive(str(zips.write(packed, store.DEFAULT)))
    return pulumi.AssetArchive(
        {name: pulumi.FileAsset(str(path)) for name, path in sorted(packed.items())}
    )


def distribution(name: str) -> dict[str, Path]:
    """Files of an installed distribution and of all that it requires: path in the package -> file.

    They are those of the deployer's environment, so only distributions for any platform will do.

    Raises:
        PackageNotFoundError: it is not installed where this program runs.
        ValueError: it, or what it requires, is built for one platform.

    """
    files = {}
    for each in _with_requirements(name, set()):
        tags = [line for line in (each.read_text("WHEEL") or "").split("\n") if "Tag:" in line]
        if not all(tag.endswith("-any") for tag in tags):
            raise ValueError(
                f"{each.name} is built for the deployer's platform, and cannot be packed;"
                " name it in the function's `requirements`"
            )
        for file in each.files or ():
            outside = file.is_absolute() or ".." in file.parts  # a command, not a module
            of_installation = file.name in distributions.OF_THE_INSTALLATION
            if not outside and file.suffix != ".pyc" and not of_installation:
                files[file.as_posix()] = Path(str(file.locate()))
    return files


def cost_of_source(owner: str, files: Mapping[str, Path], runtime: str) -> str:
    """Say what a package without bytecode costs its function at each cold start; else nothing."""
    if runtimes.python(runtime) is None:
        return ""
    modules = [path for name, path in files.items() if name.endswith(".py")]
    packed = bytecode.added(files, runtime, store.DEFAULT)
    if not modules or any(name.endswith(".pyc") for name in packed):
        return ""
    too_large = bytecode.compiled(files, runtime, store.DEFAULT)
    remedy = (
        "make the package smaller, because with bytecode it is larger than Lambda accepts"
        if too_large
        else f"install Python {runtime.removeprefix('python')} where you deploy, or change the"
        " function's runtime to a version that is installed"
    )
    lines = sum(path.read_bytes().count(b"\n") for path in modules)
    return (
        f"{owner}: packed without bytecode, so {runtime} compiles up to {lines} lines at every"
        f" cold start, {lines * _COMPILE_MILLIS_PER_LINE:.0f} ms; {remedy}"
    )


def _with_requirements(name: str, seen: set[str]) -> Iterator[metadata.Distribution]:
    seen.add(canonicalize_name(name))
    distribution = metadata.distribution(name)
    yield distribution
    for requirement in map(Requirement, distribution.requires or ()):
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and canonicalize_name(requirement.name) not in seen:
            yield from _with_requirements(requirement.name, seen)
