"""The checks of a stack deployed by Pulumi's engine: one for each promise, with a figure."""

import gzip
import json
import re
import tempfile
import time
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import quote

from local.deployment import Deployment
from local.engines.pulumi_engine import PulumiEngine, PulumiError, Step
from local.proofs import leftovers
from local.proofs.leaks import leaked
from local.proofs.results import CheckFailed, CheckResult, run_check

_GZIP = b"\x1f\x8b\x08"
_GZIP_IN_BASE64 = re.compile(r"H4sI[\w+/-]+={0,2}")
_SHOWN = 5

PLANNED = "the preview plans exactly what up does"
UNCHANGED = "a second up changes nothing"
HELD = "no secret value in the stack's state, history or logs"
LEFT = "destroy leaves only what docs/operations.md lists"

PROMISES = (PLANNED, UNCHANGED, HELD, LEFT)
"""The names of the checks, in order."""


def run(
    deployment: Deployment,
    values: Collection[str],
    before: frozenset[leftovers.AccountResource] = frozenset(),
    *,
    stays: bool = True,
) -> Iterator[CheckResult]:
    """Run every check, and destroy the stack unless `stays`; yield each outcome at once.

    `values` are the secret values right after the deployment; `before` is the content of the
    account before the deployment.
    """
    held = {*values, *deployment.canaries}
    engine = _engine(deployment)
    yield run_check(PLANNED, lambda: _planned(engine))
    yield run_check(UNCHANGED, lambda: _unchanged(engine))
    yield run_check(HELD, lambda: _held(engine, held))
    if not stays:
        yield run_check(LEFT, lambda: _left(deployment, before))


def _engine(deployment: Deployment) -> PulumiEngine:
    if deployment.pulumi is None:
        raise CheckFailed("the stack was not deployed by Pulumi's engine")
    return deployment.pulumi


def _planned(engine: PulumiEngine) -> str:
    planned, made = Counter(engine.planned), Counter(engine.made)
    if not made:
        raise CheckFailed("nothing was created")
    if planned != made:
        raise CheckFailed(
            f"only planned: {_described(planned - made)}; only done: {_described(made - planned)}"
        )
    if other := {step.operation for step in made} - {"create"}:
        raise CheckFailed(f"unexpected in an empty account: {', '.join(sorted(other))}")
    return f"{len(engine.made)} steps"


def _unchanged(engine: PulumiEngine) -> str:
    start = time.perf_counter()
    if done := engine.up():
        raise CheckFailed(_described(Counter(done)))
    return f"{time.perf_counter() - start:.1f} s"


def _held(engine: PulumiEngine, values: Collection[str]) -> str:
    files = list(_files(engine.folder))
    with tempfile.TemporaryDirectory(dir=engine.backend) as folder:
        planted = _planted(Path(folder), min(values, key=len, default=""))
        found = {path for path in (*files, *planted) if _leaks(path, values)}
    if missed := planted - found:
        raise CheckFailed(f"a planted value was not found: {_names(missed)}")
    if found - planted:
        raise CheckFailed(f"a secret value is in {_names(found - planted)}")
    size = sum(path.stat().st_size for path in files) // 1024
    return f"{len(files)} files, {size} KiB searched; {len(planted)} planted values found"


def _left(deployment: Deployment, before: frozenset[leftovers.AccountResource]) -> str:
    engine, expected = _engine(deployment), leftovers.kept(deployment)
    if deployment.outputs["protection"] == "strict":
        _release(engine)
    done = engine.destroy()
    found = leftovers.account(deployment.aws, deployment.stack) - before
    if found != expected:
        raise CheckFailed(
            f"left but not listed: {_some(found - expected)};"
            f" listed but gone: {_some(expected - found)}"
        )
    kinds = Counter(thing.kind for thing in found)
    left = ", ".join(f"{count} × {kind}" for kind, count in sorted(kinds.items()))
    return f"{len(done)} deleted; left: {left}"


def _release(engine: PulumiEngine) -> None:
    """End the protection as docs/operations.md says, after a rejected destroy."""
    try:
        engine.destroy()
    except PulumiError as error:
        if "cannot be deleted" not in str(error):
            raise
    else:
        raise CheckFailed("the stack was destroyed although it is protected")
    if done := [step for step in engine.release() if step.operation != "same"]:
        raise CheckFailed(
            f"the exemption from protect changes more than protect: {_described(Counter(done))}"
        )


def _planted(folder: Path, value: str) -> set[Path]:
    """Write a value to files in every encoding in which it must be found."""
    raw = value.encode()
    written = {
        "plain": raw,
        "json": json.dumps(json.dumps({"value": value})).encode(),
        "url": quote(value, safe="").encode(),
        "base64": b64encode(b"in " + raw),
        "gzip": gzip.compress(raw),
        "gzip in base64": json.dumps({"value": b64encode(gzip.compress(raw)).decode()}).encode(),
    }
    for name, content in written.items():
        (folder / name).write_bytes(content)
    return {folder / name for name in written}


def _leaks(path: Path, values: Collection[str]) -> bool:
    return any(leaked(text, values) for text in _texts(path.read_bytes()))


def _texts(content: bytes) -> Iterator[str]:
    """Yield a file as text, and everything compressed in it."""
    text = content.decode("utf-8", "replace")
    yield text
    packed = [content[found.start() :] for found in re.finditer(re.escape(_GZIP), content)]
    packed += [b64decode(found + "==") for found in _GZIP_IN_BASE64.findall(text)]
    for each in packed:
        try:
            yield zlib.decompressobj(wbits=31).decompress(each).decode("utf-8", "replace")
        except zlib.error:
            continue  # three bytes that look like the begin of something compressed


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _names(paths: Collection[Path]) -> str:
    return ", ".join(sorted(path.name for path in paths)[:_SHOWN])


def _described(steps: Counter[Step]) -> str:
    return _some([f"{step.operation} {step.name}" for step in steps])


def _some(things: Collection[object]) -> str:
    texts = sorted(map(str, things))
    more = [f"and {len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return ", ".join([*texts[:_SHOWN], *more]) or "nothing"
