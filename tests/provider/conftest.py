"""An account for each file of tests, and what a test makes in it."""

from collections.abc import Iterator

import pytest

from local.aws import EmbeddedAws
from tests.provider.specimen import World


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as started:
        yield started


@pytest.fixture
def world(aws: EmbeddedAws) -> Iterator[World]:
    made = World(aws)
    yield made
    made.close()
