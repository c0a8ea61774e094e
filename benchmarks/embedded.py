"""Times the first and later invocations of the function in the embedded AWS."""

import statistics
from pathlib import Path

from local import deployment, loopback
from local.aws import EmbeddedAws
from local.config import project

ROOT = Path(__file__).resolve().parent.parent
COLD, WARM = 5, 40


def measure() -> dict[str, list[float]]:
    """Deploy the stack `dev` and invoke it; return milliseconds by kind of invocation."""
    loopback.install()
    stack = project.load(ROOT, "dev", None)
    planned = deployment.preview(stack)
    times: dict[str, list[float]] = {"first": [], "later": []}
    for _ in range(COLD):
        with EmbeddedAws(layers=deployment.layer_arns(planned)) as aws:
            deployed = deployment.deploy(stack, aws)
            times["first"].append(deployed.functions["reader"].invoke().milliseconds)
            later = [deployed.functions["reader"].invoke().milliseconds for _ in range(WARM)]
            times["later"].append(statistics.median(later))
    return times
