"""What `aws:region` must be. Pure: no Pulumi, no boto3."""

import difflib
import re
from collections.abc import Iterator

from ...aws import layers
from ..functions import functions
from ..partial import Partial

_NAME = re.compile(r"[a-z]+(-[a-z]+)+-\d+")


def errors(region: str, config: Partial) -> Iterator[str]:
    """Say what is wrong with the region, in whole lines: it is not a key of the project.

    A region that this version does not know may be new, if the config has the layer for it.
    """
    if not region:
        yield "aws:region is not set; set it to the region to deploy to, such as us-east-1"
    elif not is_name(region):
        rule = "aws:region must be the name of a region such as us-east-1"
        yield f"{rule}, got {region!r}{_similar(region)}"
    elif region not in layers.regions() and config.is_whole("extension"):
        architectures = {
            function.settings.architecture
            for function in functions(config.settings).values()
            if function.extension.layer_arn is None
        }
        for architecture in sorted(architectures if not config.lacks_functions else ()):
            new = f"if it is a new region, {layers.advice(region, architecture)}"
            yield f"aws:region must be a known region, got {region!r}{_similar(region)}; {new}"


def is_name(region: str) -> bool:
    """Whether it may be the name of a region, known or not."""
    return _NAME.fullmatch(region) is not None


def _similar(region: str) -> str:
    close = difflib.get_close_matches(region.lower(), layers.regions(), 1, cutoff=0.8)
    return f" (did you mean {close[0]!r}?)" if close else ""
