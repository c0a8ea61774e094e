"""A scheduled `pulumi up --refresh` at a bad moment: while secrets rotate under traffic."""

import threading

import pytest

from local import deployment
from local.config.project import load
from local.deployment import Deployment
from local.engines.pulumi_cli import Cli
from local.engines.pulumi_engine import PulumiEngine
from local.proofs import traffic
from tests.engine.cli import needs_cli
from tests.recording import ROOT

pytestmark = [pytest.mark.exhaustive, needs_cli]

JOBS = 3


class Rotations(threading.Thread):
    """Rotates every secret again and again, in a `with` block."""

    def __init__(self, made: Deployment) -> None:
        super().__init__()
        self._made, self._ended = made, threading.Event()
        self.versions: list[str] = []
        self.errors: list[Exception] = []

    def run(self) -> None:
        while not self._ended.is_set() and not self.errors:
            for name in self._made.rotating:
                try:
                    arn = self._made.outputs["secret_arns"][name]
                    self.versions.append(traffic.rotate(self._made, arn))
                except Exception as error:  # noqa: BLE001 (the test reports it)
                    self.errors.append(error)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def test_a_refresh_during_rotations_changes_nothing_and_fails_no_request(pulumi: Cli) -> None:
    staging = load(ROOT, "staging")
    layers = deployment.layer_arns(deployment.preview(staging))
    with deployment.account(staging, layers) as account, PulumiEngine(pulumi) as engine:
        made = deployment.deploy(account.stack, account.aws, server=account.server, pulumi=engine)
        rotations, done = Rotations(made), []
        with traffic.Traffic(*traffic.callers(made, 2)) as calls:
            calls.wait_for_every_caller()
            rotations.start()
            for _ in range(JOBS):
                before = len(rotations.versions)
                assert engine.up(refresh=True) == []
                done.append(len(rotations.versions) - before)
            rotations.stop()
        assert rotations.errors == []
        assert min(done) > 0, "no secret rotated during a job"
        assert not calls.failures
        assert engine.preview() == []

        # The job does refresh: it restores what was deleted by hand.
        made.client("logs").delete_log_group(logGroupName=made.outputs["log_group_name"])
        assert [step.name for step in engine.up(refresh=True)] == ["reader-logs"]
