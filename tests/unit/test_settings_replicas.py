"""What is wrong with `replicaRegions` is said before anything is made."""

import pytest

from tests.recording import PROJECT
from tests.unit.test_settings import VALID, faults, read


def test_no_secret_is_replicated_unless_config_says_so() -> None:
    assert read(VALID).settings.replica_regions == []


def test_replica_regions_keep_the_order_in_which_they_are_read() -> None:
    regions = ["us-west-2", "eu-central-1"]
    assert read({**VALID, "replicaRegions": regions}).settings.replica_regions == regions


@pytest.mark.parametrize(
    ("region", "replicas", "fault"),
    [
        ("us-east-1", ["us-east-1"], "lists us-east-1, the stack's own region; remove it"),
        ("us-east-1", ["us-west-2"] * 3, "lists us-west-2 3 times; keep one"),
        ("us-east-1", ["us-wset-2"], "must be one of af-south-1, "),
        ("us-east-1", ["us-wset-2"], ", us-west-2, got 'us-wset-2'"),
        # AWS replicates within a partition only.
        ("us-east-1", ["us-gov-west-1"], "got 'us-gov-west-1'"),
        ("us-gov-east-1", ["us-west-2"], "must be one of us-gov-west-1, got 'us-west-2'"),
        ("us-east-1", "us-west-2", "must be a list, got 'us-west-2'"),
        ("us-east-1", [1], "must be text, got 1"),
    ],
)
def test_a_fault_names_the_region_and_what_is_allowed(
    region: str, replicas: object, fault: str
) -> None:
    found = faults({**VALID, "replicaRegions": replicas}, region=region)
    assert len(found) == 1
    assert f"{PROJECT}:replicaRegions" in found[0]
    assert fault in found[0]


def test_all_faults_are_told_at_once() -> None:
    given = ["us-east-1", "us-west-2", "us-west-2", "moon-1"]
    assert len(faults({**VALID, "replicaRegions": given})) == 3
