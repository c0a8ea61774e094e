"""What every test stands on: nothing of the caller's environment, and strict Pulumi outputs."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from local.engines import pulumi_cli
from local.engines.pulumi_cli import Cli, CliError

ROOT = Path(__file__).resolve().parent.parent
NO_PULUMI = "without Pulumi: "

for name in list(os.environ):
    if name.startswith(("AWS_", "PULUMI_")):
        del os.environ[name]
# An f-string over an Output raises instead of writing a warning into the string.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"
# An example may take as long as it takes on a busy machine.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def pulumi() -> Cli:
    """Return the Pulumi CLI; where there is none, whoever asks is skipped, all in one line.

    With ENGINE=pulumi, as in CI, they fail.
    """
    try:
        found, why = pulumi_cli.find(), "no Pulumi CLI is installed; run `make pulumi`"
    except CliError as error:
        found, why = None, str(error)
    if found is None and os.environ.get("ENGINE") == "pulumi":
        pytest.fail(f"ENGINE=pulumi, and there is none to use: {why}")
    if found is None:
        pytest.skip(NO_PULUMI + why)
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let all that is skipped for want of Pulumi be skipped here, so that it is reported once."""
    report = yield
    if isinstance(report.longrepr, tuple) and NO_PULUMI in report.longrepr[2]:
        report.longrepr = (__file__, 1, report.longrepr[2])
    return report


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say next to the coverage what it does not count."""
    if config.getoption("cov_source", None):
        measured = Coverage(config_file=str(ROOT / "pyproject.toml"))
        omitted = measured.get_option("run:omit")
        assert isinstance(omitted, list)
        files = [path for pattern in omitted for path in sorted(ROOT.glob(pattern))]
        files = [path for path in files if path.suffix == ".py"]
        statements = sum(len(measured.analysis2(str(path))[1]) for path in files)
        terminalreporter.write_line(
            f"Coverage leaves out {statements:,} statements in {len(files)} files, which run in"
            f" processes that inherit no environment: {', '.join(omitted)}"
        )
