"""What was measured, as Markdown. Every number comes from the run."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_READING = """\
- Every sample is a process of its own; samples of one table ran in shuffled order, one at a time.
  A median stands beside the quartiles around it; × is the median beside that of this client.
  Compare ratios: times of another machine are others.
- All clients ask one server on loopback, in a process of its own, that answers both the
  extension's protocol and Secrets Manager's. It is in Python and without TLS, which spares boto3,
  caching and Powertools a handshake at their cold start, and the network.
- Cold: `awslambdaric` is imported before, as on Lambda; then the client is imported, made and
  asked once, and the JSON of its answer parsed. Everything but the line "source only" has its
  bytecode. This client's is compiled as it is shipped: unchecked, without docstrings. Where in
  its rhythm the garbage collector is when it starts is another place in each sample.
- Memory is the growth of the process' resident set (VmRSS) over the same time.
- Hit: wall time of all calls of all threads, divided by their number. One lock guards the
  interpreter, so threads gain nothing; what they lose is the client's own locks.
- Fetch: a new connection for each call where the client makes one. boto3 keeps its own.
- Crowd: entries of clients that keep any have just passed their time; this client's is then
  within the last third of it, and its old value still good. The upstream answers after 50 ms.
  Times run from the first thread's call.
- Package: deflated, without bytecode but for this client's, which is packed
  as `infra` packs it. Lambda's runtime brings a boto3 of its
  own; Powertools is counted without."""


@dataclass(frozen=True)
class Column:
    """One number of a sample, and how it is shown."""

    key: str
    title: str
    scale: float


@dataclass(frozen=True)
class Target:
    """What a figure must not exceed."""

    figure: str
    unit: str
    limit: float
    reached: float

    def cells(self) -> list[str]:
        """Say what was asked and what was reached."""
        kept = self.reached <= self.limit
        verdict = "reached" if kept else f"**missed by {self.reached / self.limit - 1:.1%}**"
        texts = [f"{_short(number)} {self.unit}" for number in (self.limit, self.reached)]
        return [f"≤ {texts[0]}", texts[1], verdict]


def cell(samples: Sequence[float], ours: float, scale: float) -> str:
    """Write median, quartiles, and the ratio to this client's median."""
    median = statistics.median(samples)
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    spread = f" ({_short(low * scale)}–{_short(high * scale)})" if low < high else ""
    ratio = f", {_short(median / ours, 2)} ×" if median != ours else ""
    return f"{_short(median * scale)}{spread}{ratio}"


def table(heads: Sequence[str], rows: Mapping[str, Sequence[str]]) -> list[str]:
    """Write a table; the rows by their first cells."""
    lines = [heads, ["---"] * len(heads), *([first, *rest] for first, rest in rows.items())]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def page(
    targets: Sequence[Target], versions: Sequence[str], tables: Mapping[str, list[str]]
) -> str:
    """Write the whole page."""
    verdicts = {target.figure: target.cells() for target in targets}
    lines = [
        "# What the client costs, beside its peers\n",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {_machine()};",
        f"{', '.join(versions)}.\n",
        *table(["figure", "must reach", "reached", "verdict"], verdicts),
    ]
    for title, written in tables.items():
        lines += [f"\n## {title}\n", *written]
    return "\n".join([*lines, "\n## How to read this\n", _READING, ""])


def write_section(path: Path, name: str, text: str) -> None:
    """Put a section between its marks in a page, in the place of what stands there."""
    page_, begin, end = path.read_text(encoding="utf-8"), f"<!-- {name} -->", "<!-- end -->"
    before, _, rest = page_.partition(begin)
    _, _, after = rest.partition(end)
    written = f"{before.rstrip()}\n\n{begin}\n{text.rstrip()}\n{end}\n{after.lstrip()}"
    path.write_text(written, encoding="utf-8")


def _short(number: float, digits: int = 3) -> str:
    """So many digits that count; whole numbers whole."""
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
