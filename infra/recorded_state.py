"""What the previous deployment left in the stack's state, as Pulumi's engine tells a program."""

from typing import Any, cast

import pulumi

# What a backend other than Pulumi Cloud calls every organization.
_NO_ORGANIZATION = "organization"


def resources() -> dict[str, Any]:
    """Read URN -> ``type`` and ``outputs`` of every resource, decrypted: keep only what is needed.

    A resource that is only waiting to be deleted is left out.
    https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/builtins.go
    """
    stack = pulumi.get_stack()
    if pulumi.get_organization() != _NO_ORGANIZATION:
        stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{stack}"
    elif pulumi.runtime.is_dry_run() and not _invoke("readStackOutputs", name=stack):
        # The engine panics when it is asked for the resources of a file that has had no snapshot.
        # A stack without outputs was never deployed to the end; `up` writes one, and asks again.
        return {}
    return _invoke("readStackResourceOutputs", stackName=stack)


def _invoke(function: str, **args: str) -> dict[str, Any]:
    answer = pulumi.runtime.invoke(f"pulumi:pulumi:{function}", args).value
    return cast("dict[str, Any]", answer["outputs"])
