"""Parameters of Parameter Store: configuration, and secrets that need no rotation.

A String, a StringList and a SecureString with `from: config` are Pulumi resources. A generated or
external SecureString is not. A resource needs a value when it is created, and a placeholder with
`ignore_changes` does not keep the real value out of the state: the AWS provider decrypts a
parameter whenever it reads it, so a refresh would copy the value into the state; every change of
description, tier or key would overwrite it with the state's value, because PutParameter requires a
value; and until then the handler would use the placeholder as the secret.
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ssm/parameter.go

So the seeder creates the generated one, if it does not exist, and someone else the external one.
Until then a reader gets ParameterNotFound, as for a secret without a value. The price: `pulumi
destroy` leaves both. They cost nothing, and without the environment's key no one can read them;
deleting them would be final, because Parameter Store has no recovery window. To delete them when
they are no longer needed: `aws ssm delete-parameters --names …`.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..aws.location import Location
from ..policies.parameters import parameter_arn


class Parameter(TypedDict):
    """One parameter."""

    name: str
    """Full name, which starts with `/`."""
    type: str
    """String, StringList or SecureString."""
    value: NotRequired[pulumi.Input[str] | None]
    """Text; for a StringList, items separated by commas; for a SecureString, it is in the state,
    encrypted. None: someone else creates the parameter."""
    description: NotRequired[pulumi.Input[str]]
    """Description of the parameter."""
    tier: NotRequired[str]
    """Standard (default): up to 4 KB, free; Advanced: up to 8 KB, not free."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it (default false)."""


class ParameterStoreArgs(TypedDict):
    """Arguments of a `ParameterStore`."""

    parameters: Mapping[str, Parameter]
    """Logical name -> parameter."""
    key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts SecureStrings."""
    partition: str
    """Partition of the account, such as `aws`."""
    region: str
    """Region of the parameters."""
    account_id: str
    """Account of the parameters."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of the parameters."""


class ParameterStore(pulumi.ComponentResource):
    """The parameters of an environment, and the ARNs of all, including those created elsewhere.

    Resources:
        aws.ssm.Parameter: one for each parameter that has a value.
    """

    arns: pulumi.Output[dict[str, str]]
    """Full name -> ARN of each String and StringList."""
    secure_arns: pulumi.Output[dict[str, str]]
    """Full name -> ARN of each SecureString."""

    def __init__(
        self, name: str, args: ParameterStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        for logical, parameter in args["parameters"].items():
            _check(f"ParameterStore {name!r}: {logical!r}", parameter)
        super().__init__(
            "lambda-secrets:index:ParameterStore",
            name,
            {key: value for key, value in args.items() if key != "parameters"},
            opts,
        )
        location = Location.from_args(args)

        arns: dict[bool, dict[str, pulumi.Input[str]]] = {False: {}, True: {}}
        for logical, parameter in args["parameters"].items():
            secure, value = parameter["type"] == "SecureString", parameter.get("value")
            arn: pulumi.Input[str] = parameter_arn(location, parameter["name"])
            if value is not None:
                arn = aws.ssm.Parameter(
                    f"{name}-{logical}",
                    name=parameter["name"],
                    type=parameter["type"],
                    description=parameter.get("description"),
                    tier=parameter.get("tier", "Standard"),
                    key_id=args["key_arn"] if secure else None,
                    value=value if secure else None,  # pulumi-aws marks it secret
                    insecure_value=None if secure else value,  # and shows this one in previews
                    tags=args.get("tags"),
                    opts=pulumi.ResourceOptions(
                        parent=self,
                        # Some changes replace a parameter under the same name.
                        delete_before_replace=True,
                        protect=parameter.get("protect"),
                    ),
                ).arn
            arns[secure][parameter["name"]] = arn

        self.arns = pulumi.Output.all(**arns[False]).apply(dict)  # empty, it is a list
        self.secure_arns = pulumi.Output.all(**arns[True]).apply(dict)
        self.register_outputs({"arns": self.arns, "secure_arns": self.secure_arns})


def _check(owner: str, parameter: Parameter) -> None:
    tier = parameter.get("tier", "Standard")
    limits.check(
        owner,
        [
            ("type", parameter["type"], limits.PARAMETER_TYPES),
            ("tier", tier, limits.PARAMETER_TIERS),
        ],
    )
    errors = limits.parameter_name_errors(parameter["name"])
    if limits.is_reserved_parameter(parameter["name"]):
        errors.append("starts with aws or ssm, which AWS reserves")
    if errors:
        raise ValueError(f"{owner}: name {parameter['name']!r} {'; '.join(errors)}")
    if parameter.get("value") is None and parameter["type"] != "SecureString":
        raise ValueError(f"{owner}: a {parameter['type']} needs a value")
