"""Records the picture of the README from a run of `make up`: `make picture`.

The picture has the lines of the run that are the same on every machine: what is deployed, the
checks, and nothing that names a path of this machine.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs/make-up.svg"
_COLUMNS = 116
_PORT = "45967"
"""The port in the picture: that of the run is another one each time."""
_SHOWN = re.compile(r"✓ |✗ |– |Checks$|\S+, stack \w+, ")
_CHECK = re.compile(r"(?P<mark>[✓✗–]) (?P<text>.*?)(?:(?P<gap> {2,})(?P<figure>.*))?$")
_STYLES = {"✓": "green", "✗": "red", "–": "dim"}
_FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: {char_height}px;
}}
.{unique_id}-title {{ font-family: sans-serif; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""What rich fills in. A browser loads no font for a picture, so it names what machines have."""


def run() -> str:
    """Run `make up` with the stack dev; return what it printed. Exits with that if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "local", "up", "--stack", "dev"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nno picture: `make up` failed")
    return done.stdout


def shown(printed: str) -> list[str]:
    """Return the lines of a run that the picture has."""
    lines = []
    for line in printed.splitlines():
        if line == "Outputs":
            break
        if _SHOWN.match(line):
            lines += [""] if line == "Checks" else []
            lines.append(re.sub(r"(http://127\.0\.0\.1:)\d+", rf"\g<1>{_PORT}", line))
    return lines


def drawn(lines: list[str]) -> str:
    """Draw lines as SVG."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=_COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text("$ make up", style="bold"))
        for line in lines:
            console.print(_styled(line), overflow="ellipsis", no_wrap=True)
        drawing = console.export_svg(title="make up", code_format=_FORMAT, unique_id="run")
    return "\n".join(line.rstrip() for line in drawing.splitlines()) + "\n"


def _styled(line: str) -> Text:
    found = _CHECK.match(line)
    if not found:
        return Text(line, style="bold")
    return Text.assemble(
        (found["mark"], _STYLES[found["mark"]]),
        f" {found['text']}",
        (found["gap"] or "", "bold"),  # a text of its own, so that the figures are in line
        (found["figure"] or "", "dim"),
    )


def main() -> int:
    """Write the picture; return 0."""
    PICTURE.write_text(drawn(shown(run())), encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
