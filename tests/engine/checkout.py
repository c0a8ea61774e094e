"""The checkout that the tests run in, which commands must leave as it is."""

import subprocess

from tests.recording import ROOT


def changed_files() -> list[str]:
    """Return git's list of changed and new files in the checkout.

    Without locks of requirements: test_lifecycle, which may run at the same time, makes one and
    removes it.
    """
    listing = ["git", "status", "--porcelain"]
    lines = subprocess.check_output(listing, cwd=ROOT, text=True).splitlines()  # noqa: S603 (git)
    return [line for line in lines if not line.endswith(".lock")]
