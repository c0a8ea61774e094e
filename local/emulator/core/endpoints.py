"""AWS's partitions, with their regions and services, as botocore knows them."""

import functools
import json
from typing import Any

from local.emulator.core.operations import botocore_files


@functools.cache
def partitions() -> list[dict[str, Any]]:
    """Return `regions` and `services` of each partition, by name."""
    (path,) = botocore_files("endpoints.json")
    found: list[dict[str, Any]] = json.loads(path.read_bytes())["partitions"]
    return found
