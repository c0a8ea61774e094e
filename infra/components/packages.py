"""A function's package as a Pulumi archive; `infra.packaging` decides which files it has."""

from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import pulumi
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..packaging import bytecode, distributions, runtimes, store, zips

# Measured: see benchmarks/RESULTS.md, "source only".
_COMPILE_MILLIS_PER_LINE = 0.009


def archive(
    files: Mapping[str, Path], runtime: str, texts: Mapping[str, str] | None = None
) -> pulumi.Archive:
    """Pack the files, and the bytecode of each module if its Python is installed.

    `texts` are more files of a package without executables: path in the package -> content.

    Pulumi hashes such an archive by names and contents, so neither a file's date nor another file
    next to it publishes a new version of the function. But the archive loses the executable bit
    (https://github.com/pulumi/pulumi/issues/3593), so a package with an executable becomes a zip,
    which Pulumi uploads unchanged.
    """
    packed = bytecode.added(files, runtime, store.DEFAULT)
    if any(zips.is_executable(name, path) for name, path in packed.items()):
        if texts:
            raise ValueError(f"a package with an executable has no room for {', '.join(texts)}")
        return pulumi.FileArchive(str(zips.write(packed, store.DEFAULT)))
    assets: dict[str, pulumi.Asset | pulumi.Archive] = {
        name: pulumi.FileAsset(str(path)) for name, path in sorted(packed.items())
    }
    return pulumi.AssetArchive(
        assets | {name: pulumi.StringAsset(text) for name, text in (texts or {}).items()}
    )


def distribution(name: str) -> dict[str, Path]:
    """Files of an installed distribution and its dependencies: path in the package -> file.

    They come from the deployer's environment, so all must be distributions for any platform.

    Raises:
        PackageNotFoundError: it is not installed where this program runs.
        ValueError: it, or a dependency, is built for one platform.

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
    """Return a note on what a package without bytecode costs at each cold start, or nothing."""
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
