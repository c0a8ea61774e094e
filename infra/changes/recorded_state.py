"""Reads the state of the previous deployment through Pulumi's engine."""

from typing import Any, cast

import pulumi

# Name of the organization in all backends except Pulumi Cloud.
_NO_ORGANIZATION = "organization"


def resources() -> dict[str, Any]:
    """Return URN -> `type` and `outputs` of each resource, decrypted: keep only what is needed.

    Resources that are pending deletion are omitted.
    https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/builtins.go
    """
    organization, stack = pulumi.get_organization(), pulumi.get_stack()
    if organization != _NO_ORGANIZATION:
        stack = f"{organization}/{pulumi.get_project()}/{stack}"
    elif pulumi.runtime.is_dry_run() and not _outputs("readStackOutputs", name=stack):
        # The engine panics on a state file without a snapshot. A stack without outputs was never
        # deployed completely; `up` writes a snapshot, and this is checked again then.
        return {}
    return _outputs("readStackResourceOutputs", stackName=stack)


def _outputs(function: str, **names: str) -> dict[str, Any]:
    # A state file cannot be read while it is written, and the engine is writing the stack
    # resource. When that has its URN, nothing is written until the program continues.
    root = cast("pulumi.Resource", pulumi.runtime.get_root_resource())
    args = {
        key: pulumi.Output.all(root.urn, name).apply(lambda got: got[1])
        for key, name in names.items()
    }
    answer = pulumi.runtime.invoke(f"pulumi:pulumi:{function}", args).value
    return cast("dict[str, Any]", answer["outputs"])
