"""Imports the modules that ``IMPORTED_AHEAD`` names, for programs that are forked off later."""

import importlib
import os
import sys
import types
from collections.abc import Iterator

VARIABLE = "IMPORTED_AHEAD"


def used() -> Iterator[str]:
    """Name the modules of the AWS SDK that this process has needed so far.

    The SDK loads a module when something of it is asked for; until then it is of another class.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("pulumi_aws.") and type(module) is types.ModuleType:
            yield name


for _name in os.environ.get(VARIABLE, "").split():
    getattr(importlib.import_module(_name), "__all__", None)
