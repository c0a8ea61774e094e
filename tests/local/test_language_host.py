"""The host of programs for Pulumi's engine, as a process."""

import os
import subprocess
import sys

from tests.recording import ROOT


def test_a_host_whose_starter_is_gone_ends_without_a_word() -> None:
    """A Ctrl-C may come before the starter has read the port."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        run = subprocess.run(
            [sys.executable, "-m", "local.engines.language_server"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (run.returncode, run.stderr) == (0, "")
