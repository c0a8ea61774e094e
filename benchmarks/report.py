"""Formats the measurements as Markdown. Every number comes from the run."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_READING = """\
- Every sample runs in its own process; the samples of one table ran in shuffled order, one at a
  time. A cell shows the median and, in parentheses, the quartiles; × is the ratio to this client's
  median. Compare the ratios: on another machine the times differ.
- All clients call one server on loopback, in its own process, that speaks both the extension's
  protocol and that of Secrets Manager. It is written in Python and does not use TLS, so the cold
  starts of boto3, caching and Powertools include neither a handshake nor the network.
- Cold start: `awslambdaric` is imported first, as on Lambda. Then the client is imported and
  constructed, it fetches one secret, and the JSON is parsed. All clients have bytecode, except in
  the line "source only". This client's is compiled as it is shipped: unchecked, without
  docstrings. Each sample starts at another point of the garbage collector's cycle.
- Memory is the growth of the process's resident set (VmRSS) over the same time.
- Hit: wall time of all calls of all threads, divided by their number. The interpreter has one
  lock, so threads gain nothing; what they lose is the cost of the client's own locks.
- Fetch: each call uses a new connection if the client opens one per call. boto3 keeps its
  connection.
- Crowd: the cached entries have just expired. This client's entry is in the last third of its
  time, so its old value is still valid. The upstream answers after 50 ms. Times start at the first
  thread's call.
- Package: deflated, without bytecode, except this client's, which is packed as `infra` packs it.
  Lambda's runtime includes boto3, so it is not counted for Powertools."""


@dataclass(frozen=True)
class Column:
    """One number of a sample, and how to format it."""

    key: str
    title: str
    scale: float


@dataclass(frozen=True)
class Target:
    """The limit of a figure, and the measured value."""

    figure: str
    unit: str
    limit: float
    reached: float

    def cells(self) -> list[str]:
        """Return limit, measured value and verdict."""
        kept = self.reached <= self.limit
        verdict = "met" if kept else f"**missed by {self.reached / self.limit - 1:.1%}**"
        texts = [f"{_short(number)} {self.unit}" for number in (self.limit, self.reached)]
        return [f"≤ {texts[0]}", texts[1], verdict]


def cell(samples: Sequence[float], ours: float, scale: float) -> str:
    """Format median, quartiles, and the ratio to this client's median."""
    median = statistics.median(samples)
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    spread = f" ({_short(low * scale)}–{_short(high * scale)})" if low < high else ""
    ratio = f", {_short(median / ours, 2)} ×" if median != ours else ""
    return f"{_short(median * scale)}{spread}{ratio}"


def table(heads: Sequence[str], rows: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the lines of a table; `rows` has the first cell as its key."""
    lines = [heads, ["---"] * len(heads), *([first, *rest] for first, rest in rows.items())]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def verdicts(targets: Sequence[Target]) -> list[str]:
    """Return the lines of the table of targets."""
    return table(
        ["figure", "target", "measured", "verdict"],
        {target.figure: target.cells() for target in targets},
    )


def page(
    targets: Sequence[Target], versions: Sequence[str], tables: Mapping[str, list[str]]
) -> str:
    """Return the whole page."""
    lines = [
        "# What the client costs, compared with its peers\n",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {_machine()};",
        f"{', '.join(versions)}.\n",
        *verdicts(targets),
    ]
    for title, written in tables.items():
        lines += [f"\n## {title}\n", *written]
    return "\n".join([*lines, "\n## How to read this\n", _READING, ""])


def write_section(path: Path, name: str, text: str) -> None:
    """Replace the section between its markers in a page."""
    page_, begin, end = path.read_text(encoding="utf-8"), f"<!-- {name} -->", "<!-- end -->"
    before, _, rest = page_.partition(begin)
    _, _, after = rest.partition(end)
    written = f"{before.rstrip()}\n\n{begin}\n{text.rstrip()}\n{end}\n{after.lstrip()}"
    path.write_text(written, encoding="utf-8")


def _short(number: float, digits: int = 3) -> str:
    """Format a number with `digits` significant digits; large numbers as integers."""
    return f"{number:.0f}" if number >= 10 ** (digits - 1) else f"{number:.{digits}g}"


def _machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"{len(os.sched_getaffinity(0))} CPUs ({model}), {platform.system()} {platform.release()},"
        f" Python {platform.python_version()}"
    )
