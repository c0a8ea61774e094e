"""Parameters of Parameter Store: configuration, and secrets that need no rotation.

A String, a StringList and a SecureString of `from: config` are made here. A SecureString that is
generated, or that somebody else puts, is not Pulumi's. A resource needs a value at its creation,
and a placeholder under `ignore_changes` does not keep the true one out of the state: the AWS
provider decrypts a parameter whenever it reads it, so a refresh would bring it there; every change
of description, tier or key would write the state's value back over it, because PutParameter knows
no change without a value; and until then the handler would read the placeholder for a secret.
https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/ssm/parameter.go

So the seeder makes the generated one, if there is none, and somebody else the external one: a
reader meets ParameterNotFound before, as it meets a secret without a value. The price: `pulumi
destroy` leaves both, with their names. That loses nothing that could still be wanted, since
Parameter Store knows no recovery window, and costs nothing; without the environment's key, nobody
can read them. Who is done with them deletes them: `aws ssm delete-parameters --names …`.
"""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..aws.place import Place
from ..policies.parameters import parameter_arn


class Parameter(TypedDict):
    """One parameter."""

    name: str
    """Full name, which starts with `/`: what the handler asks for."""
    type: str
    """String, StringList or SecureString."""
    value: NotRequired[pulumi.Input[str] | None]
    """Text; of a StringList, items between commas; of a SecureString, it stands in the state,
    encrypted. None: somebody else makes the parameter."""
    description: NotRequired[pulumi.Input[str]]
    """What the parameter is for."""
    tier: NotRequired[str]
    """Standard (default), for 4 KB, or Advanced, for 8 KB and a price."""
    protect: NotRequired[bool]
    """Whether Pulumi refuses to delete it (default false)."""


class ParameterStoreArgs(TypedDict):
    """What a `ParameterStore` is made of."""

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
    """The parameters of an environment; what each is in ARNs, also of those made elsewhere.

    Resources:
        aws.ssm.Parameter: one each, but for those without a value.
    """

    arns: pulumi.Output[dict[str, str]]
    """Full name -> ARN, of every String and StringList."""
    secure_arns: pulumi.Output[dict[str, str]]
    """Full name -> ARN, of every SecureString."""

    def __init__(
        self, name: str, args: ParameterStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        for logical, parameter in args["parameters"].items():
            _check(f"ParameterStore {name!r}: {logical!r}", parameter)
        super().__init__(
            "lambda-secrets:index:ParameterStore",
            name,
            {key: given for key, given in args.items() if key != "parameters"},
            opts,
        )
        place = Place.from_args(args)

        arns: dict[bool, dict[str, pulumi.Input[str]]] = {False: {}, True: {}}
        for logical, parameter in args["parameters"].items():
            secure, value = parameter["type"] == "SecureString", parameter.get("value")
            arn: pulumi.Input[str] = parameter_arn(place, parameter["name"])
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
                        # Some changes make a parameter anew, under the same name.
                        delete_before_replace=True,
                        protect=parameter.get("protect"),
                    ),
                ).arn
            arns[secure][parameter["name"]] = arn

        self.arns = pulumi.Output.all(**arns[False]).apply(dict)  # of nothing: a list
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
    if faults := limits.parameter_name_faults(parameter["name"]):
        raise ValueError(f"{owner}: name {parameter['name']!r} {'; '.join(faults)}")
    if parameter.get("value") is None and parameter["type"] != "SecureString":
        raise ValueError(f"{owner}: a {parameter['type']} needs a value")
