"""What the previous deployment left in the stack's state, as Pulumi's engine tells a program."""

from typing import Any, cast

import pulumi

# What a backend other than Pulumi Cloud calls every organization.
_NO_ORGANIZATION = "organization"


def resources() -> dict[str, Any]:
    """Read URN -> `type` and `outputs` of every resource, decrypted: keep only what is needed.

    A resource that is only waiting to be deleted is left out.
    https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/builtins.go
    """
    organization, stack = pulumi.get_organization(), pulumi.get_stack()
    if organization != _NO_ORGANIZATION:
        stack = f"{organization}/{pulumi.get_project()}/{stack}"
    elif pulumi.runtime.is_dry_run() and not _outputs("readStackOutputs", name=stack):
        # The engine panics when it is asked for the resources of a file that has had no snapshot.
        # A stack without outputs was never deployed to the end; `up` writes one, and asks again.
        return {}
    return _outputs("readStackResourceOutputs", stackName=stack)


def _outputs(function: str, **names: str) -> dict[str, Any]:
    # A state in a file cannot be read while it is written, and the engine writes the stack's own
    # resource just now: once that has its URN, nothing is written until the program goes on.
    root = cast("pulumi.Resource", pulumi.runtime.get_root_resource())
    args = {
        key: pulumi.Output.all(root.urn, name).apply(lambda got: got[1])
        for key, name in names.items()
    }
    answer = pulumi.runtime.invoke(f"pulumi:pulumi:{function}", args).value
    return cast("dict[str, Any]", answer["outputs"])
