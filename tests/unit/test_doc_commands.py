"""The commands in README.md and docs/: bash parses them, and their targets and options exist.

Nothing is run. Bash goes through each page's commands with an empty PATH, and functions in the
place of `make`, `aws`, `pulumi` and `python` write down what they are called with. So quoting,
substitution and loops are bash's own. tests/engine compares pulumi's options with its CLI.
"""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from local.__main__ import _parser as local_parser
from ops.__main__ import _parser as ops_parser
from tests.documented import GUIDES, PAGES, console, fences, inline_code, read
from tests.recording import ROOT

TOOLS = ("make", "aws", "pulumi", "python")
PARSERS = {"local": local_parser, "ops": ops_parser}
_SESSION = botocore.session.get_session()
_GLOBAL = {"--query", "--output", "--region", "--profile", "--cli-binary-format"}
"""Options of every command of the AWS CLI that the pages use."""
_CUSTOM = {
    ("logs", "tail"): {"--since", "--filter-pattern"},
    ("cloudtrail", "validate-logs"): {"--trail-arn", "--start-time"},
}
"""Commands of the AWS CLI that are no operation of a service."""
_STUBS = """
command_not_found_handle() { :; }
cd() { :; }
"""


def bash(script: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("bash")
    assert program
    return subprocess.run(  # noqa: S603 (bash, with the commands of a page)
        [program, "--norc", *options, "-c", script],
        cwd=folder,
        env={"PATH": str(folder), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def commands(page: str, folder: Path) -> list[list[str]]:
    """Return what the tools are called with in a page, as bash reads it."""
    lines = [line.replace(".venv/bin/", "") for line in console(page)]
    for line in lines:
        for source in re.findall(r"(?<!<)< *([\w.-]+)", line):
            (folder / source).touch()
    stubs = "".join(
        # A file for each process, as the tools of a pipeline run at the same time.
        f"{tool}() {{ printf '%s\\0' {tool} \"$@\" $'\\n' >> recorded.$BASHPID; }}\n"
        for tool in TOOLS
    )
    done = bash(_STUBS + stubs + "\n".join(lines), folder)
    assert "syntax error" not in done.stderr, done.stderr
    recorded = "".join(path.read_text() for path in sorted(folder.glob("recorded.*")))
    calls = [line.split("\0") for line in recorded.split("\0\n\0")[:-1]]
    for tool in TOOLS:  # none was passed over
        begun = sum(re.match(rf"(?:\w+=\S+ )*{tool}\b", line) is not None for line in lines)
        assert sum(call[0] == tool for call in calls) >= begun, tool
    return calls


def spans(page: str) -> list[list[str]]:
    """Return the inline code of a page that is a command of a tool."""
    found = [span for span in inline_code(page) if span.partition(" ")[0] in TOOLS]
    return [shlex.split(span, comments=True) for span in found if span not in TOOLS]


def errors(command: list[str]) -> list[str]:
    """Say what is wrong with a call of a tool."""
    tool, *words = command
    return {"make": _make, "aws": _aws, "pulumi": _pulumi, "python": _python}[tool](words)


def _make(words: list[str]) -> list[str]:
    makefile = read(ROOT / "Makefile")
    targets = [word for word in words if "=" not in word]
    variables = [word.partition("=")[0] for word in words if "=" in word]
    found = [f"no target {each}" for each in targets if f"\n{each}:" not in makefile]
    known = {"STACK", "ENGINE", "PYTHON", "WORKERS"}
    return found + [f"no variable {each}" for each in variables if each not in known]


def _aws(words: list[str]) -> list[str]:
    service, operation, *rest = [*words, "", ""]
    options = [word.partition("=")[0] for word in rest if word.startswith("--")]
    if (service, operation) in _CUSTOM:
        known = _CUSTOM[service, operation]
    else:
        name = {"s3api": "s3"}.get(service, service)
        if name not in _SESSION.get_available_services():
            return [f"no service {service}"]
        model = _SESSION.get_service_model(name)
        operations = {xform_name(each, "-"): each for each in model.operation_names}
        if operation not in operations:
            return [f"{service} has no operation {operation}"]
        shape = model.operation_model(operations[operation]).input_shape
        known = {f"--{xform_name(each, '-')}" for each in (shape.members if shape else ())}
    return [
        f"{service} {operation} has no option {option}"
        for option in options
        if option not in known | _GLOBAL
    ]


def _pulumi(words: list[str]) -> list[str]:
    return [] if words and not words[0].startswith("-") else ["no command"]


def _python(words: list[str]) -> list[str]:
    if words[:1] != ["-m"]:
        return ["not a module"]
    if words[1] not in PARSERS:
        own = (ROOT / words[1].replace(".", "/")).with_suffix(".py").exists()
        return [] if own or words[1] in {"pip", "pytest"} else [f"no module {words[1]}"]
    try:
        PARSERS[words[1]]().parse_args(words[2:])
    except SystemExit:
        return [f"{words[1]} has no {' '.join(words[2:])}"]
    return []


@pytest.mark.parametrize(
    "page",
    [page for page in GUIDES if page.name != "CHANGELOG.md"],  # it also names what is gone
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_commands_of_a_page_exist(page: Path, tmp_path: Path) -> None:
    text = read(page)
    for session in console(text):
        done = bash(session, tmp_path, "-n")
        assert (done.returncode, done.stderr) == (0, ""), session
    called = [*commands(text, tmp_path), *spans(text)]
    assert [error for call in called for error in errors(call)] == []


def test_pages_show_commands_of_every_tool(tmp_path: Path) -> None:
    shown: dict[str, int] = dict.fromkeys(TOOLS, 0)
    for number, page in enumerate(PAGES):
        (tmp_path / str(number)).mkdir()
        for call in commands(read(page), tmp_path / str(number)):
            shown[call[0]] += 1
    assert shown["aws"] > 60
    assert shown["pulumi"] > 40
    assert min(shown.values()) >= 3


def test_no_page_hides_a_command_in_another_fence() -> None:
    for page in PAGES:
        for block in fences(read(page), "", "text", "yaml", "python", "sql", "json"):
            assert not re.search(r"^\$ ", block, re.MULTILINE), page.name


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("make upp", "no target upp"),
        ("make up STAGE=prod", "no variable STAGE"),
        ("X=$(aws secretmanager get-secret-value)", "no service secretmanager"),
        ("for i in 1; do aws ssm put-parameters; done", "ssm has no operation put-parameters"),
        (
            'echo "$(aws ssm put-parameter --nam x)" | cat',
            "ssm put-parameter has no option --nam",
        ),
        ("aws logs tail x --until 1h", "logs tail has no option --until"),
        (".venv/bin/python -m local up --stacks dev", "local has no up --stacks dev"),
        (".venv/bin/python -m ops leftover -s prod", "ops has no leftover -s prod"),
        (".venv/bin/python -m locals", "no module locals"),
        ("pulumi -s dev", "no command"),
    ],
)
def test_a_command_that_does_not_exist_is_found(
    command: str, error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (call,) = commands(f"```console\n$ {command}\n```\n", tmp_path)
    assert errors(call) == [error]
    capsys.readouterr()  # what argparse says


def test_a_command_that_bash_cannot_read_is_found(tmp_path: Path) -> None:
    (session,) = console("```console\n$ aws ssm get-parameter --name 'x\n```\n")
    assert bash(session, tmp_path, "-n").returncode != 0
