"""VPC endpoints and security groups for functions in a VPC without another route to AWS.

VPC, subnets and route tables exist already. A function in the VPC calls Secrets Manager and
Parameter Store through these endpoints. Logs, and metrics in the Embedded Metric Format with them,
traces of the X-Ray daemon, the package and the layers do not pass through the VPC: Lambda
transfers them itself. So endpoints for more `services`, and for S3, are needed only for calls that
the handler makes. Secrets Manager and Parameter Store call KMS themselves.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html

Private DNS resolves a service's name to its endpoint, for everything in the VPC. So these policies
apply to all clients in the VPC, and the VPC cannot have another endpoint with private DNS for the
service. Use a VPC that belongs to this environment; otherwise its owner has to create the
endpoints. The VPC needs `enableDnsSupport` and `enableDnsHostnames`. Security groups do not filter
name resolution.
https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html

Lambda keeps a function's network interfaces for up to 45 minutes after the function is deleted,
and `pulumi destroy` waits for that when it deletes the functions' security group. The provider's
`replace_security_groups_on_destroy` is not used, because it changes only the unpublished version,
while published ones keep the group; until they are deleted, the functions run in another security
group; and that group keeps the interfaces.
https://github.com/hashicorp/terraform-provider-aws/pull/37624
"""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from ..aws import limits
from ..aws.location import Location
from ..policies import endpoints as network_policies
from ..policies.iam import Policy

_HTTPS = 443


class PrivateNetworkArgs(TypedDict):
    """Arguments of a `PrivateNetwork`."""

    vpc_id: pulumi.Input[str]
    """VPC of the functions."""
    subnet_ids: Sequence[pulumi.Input[str]]
    """Subnets of the functions, one per zone; the endpoints have an address in each."""
    partition: str
    """Partition of the account, such as `aws`."""
    region: str
    """Region of the VPC; the endpoints reach only services in this region."""
    account_id: str
    """Account whose roles and resources the endpoints allow."""
    secret_prefix: str
    """Prefix of the full names of the secrets that may be reached."""
    existing_secret_arns: NotRequired[Sequence[str] | None]
    """ARNs of existing secrets in this region, of any account, that may be read (default none)."""
    parameter_prefix: NotRequired[str | None]
    """Prefix of the full names of parameters (default None: no endpoint for Parameter Store)."""
    log_group_prefix: str
    """Prefix of the names of log groups; used only with the service `logs`."""
    services: NotRequired[Sequence[str]]
    """More services: any of logs, monitoring, xray (default none)."""
    s3_route_table_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Route tables of the subnets, for a gateway endpoint for S3 (default none: no endpoint)."""
    database_security_group_id: NotRequired[pulumi.Input[str] | None]
    """Security group of the database (default None: no access to a database)."""
    database_port: NotRequired[int]
    """Port of the database (default 5432)."""
    role_arns: NotRequired[pulumi.Input[Sequence[pulumi.Input[str]]]]
    """ARNs of the functions' roles (default none), known when their policies exist. The functions'
    security group is deleted before them: Lambda needs them to delete its network interfaces."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of all resources."""


class PrivateNetwork(pulumi.ComponentResource):
    """Endpoints that only the functions can reach, and functions that can reach nothing else.

    Resources:
        aws.ec2.SecurityGroup: one for the functions and one for the endpoints; they allow only the
            traffic below. Deleting that of the functions also revokes the rules of other groups
            that refer to it, such as the database's; otherwise EC2 rejects the deletion.
        aws.vpc.SecurityGroupEgressRule, aws.vpc.SecurityGroupIngressRule: HTTPS from the functions
            to the endpoints and optionally to S3; optionally the database's port. The owner of
            the database's security group has to allow `security_group_id`.
        aws.ec2.VpcEndpoint: one per service, with a policy; for S3 a gateway, which is free.
    """

    security_group_id: pulumi.Output[str]
    """Security group of the functions. Known when its rules and the endpoints exist, so that a
    function in it can use them."""
    endpoint_ids: pulumi.Output[dict[str, str]]
    """Service -> id of its endpoint."""

    def __init__(
        self, name: str, args: PrivateNetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        services, tables = args.get("services", ()), args.get("s3_route_table_ids", ())
        database = args.get("database_security_group_id")
        database_port = args.get("database_port", 5432)
        limits.check(
            f"PrivateNetwork {name!r}",
            [
                ("database_port", database_port, limits.PORT),
                *(("services", service, limits.ENDPOINT_SERVICES) for service in services),
            ],
        )
        if len(args["subnet_ids"]) < limits.LEAST_SUBNETS:
            raise ValueError(
                f"PrivateNetwork {name!r}: subnet_ids must list at least {limits.LEAST_SUBNETS},"
                f" got {len(args['subnet_ids'])}"
            )
        props = {key: value for key, value in args.items() if key != "role_arns"}
        super().__init__("lambda-secrets:index:PrivateNetwork", name, props, opts)
        child = pulumi.ResourceOptions(parent=self)
        roles = pulumi.Output.from_input(args.get("role_arns", ()))
        location = Location.from_args(args)
        tags = args.get("tags")

        def group(
            of: str, opts: pulumi.ResourceOptions, *, revokes: bool | None = None
        ) -> aws.ec2.SecurityGroup:
            return aws.ec2.SecurityGroup(
                f"{name}-{of}",
                description=f"The {of} of an environment of secrets",
                vpc_id=args["vpc_id"],
                revoke_rules_on_delete=revokes,
                tags=tags,
                opts=opts,
            )

        functions = group(
            "functions",
            # It depends on what the ARNs depend on: the roles and their policies.
            pulumi.ResourceOptions(parent=self, depends_on=roles.apply(lambda _: [])),
            revokes=True,
        )
        endpoints = group("endpoints", child)
        rules: list[pulumi.Resource] = []

        def allow_egress(
            to: str,
            port: int,
            group_id: pulumi.Input[str] | None = None,
            prefix_list_id: pulumi.Input[str] | None = None,
        ) -> None:
            rules.append(
                aws.vpc.SecurityGroupEgressRule(
                    f"{name}-to-{to}",
                    description=f"To the {to}",
                    security_group_id=functions.id,
                    referenced_security_group_id=group_id,
                    prefix_list_id=prefix_list_id,
                    ip_protocol="tcp",
                    from_port=port,
                    to_port=port,
                    tags=tags,
                    opts=child,
                )
            )

        allow_egress("endpoints", _HTTPS, endpoints.id)
        rules.append(
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-from-functions",
                description="From the functions",
                security_group_id=endpoints.id,
                referenced_security_group_id=functions.id,
                ip_protocol="tcp",
                from_port=_HTTPS,
                to_port=_HTTPS,
                tags=tags,
                opts=child,
            )
        )
        if database is not None:
            allow_egress("database", database_port, database)
        vpc_endpoints = {
            service: aws.ec2.VpcEndpoint(
                f"{name}-{service}",
                vpc_id=args["vpc_id"],
                service_name=f"com.amazonaws.{location.region}.{service}",
                vpc_endpoint_type="Interface",
                subnet_ids=args["subnet_ids"],
                security_group_ids=[endpoints.id],
                private_dns_enabled=True,
                policy=pulumi.Output.json_dumps(policy),
                tags=tags,
                opts=child,
            )
            for service, policy in _policies(location, args).items()
        }
        if tables:
            vpc_endpoints["s3"] = aws.ec2.VpcEndpoint(
                f"{name}-s3",
                vpc_id=args["vpc_id"],
                service_name=f"com.amazonaws.{location.region}.s3",
                vpc_endpoint_type="Gateway",
                route_table_ids=tables,
                policy=pulumi.Output.json_dumps(network_policies.s3(location)),
                tags=tags,
                opts=child,
            )
            allow_egress("s3", _HTTPS, prefix_list_id=vpc_endpoints["s3"].prefix_list_id)

        ready = pulumi.Output.all(
            functions.id, *(each.urn for each in [*rules, *vpc_endpoints.values()])
        )
        self.security_group_id = ready.apply(lambda resolved: str(resolved[0]))
        self.endpoint_ids = pulumi.Output.all(
            **{key: each.id for key, each in vpc_endpoints.items()}
        )
        self.register_outputs(
            {"security_group_id": self.security_group_id, "endpoint_ids": self.endpoint_ids}
        )


def _policies(location: Location, args: PrivateNetworkArgs) -> dict[str, Policy]:
    """Return the policy of each interface endpoint, by service."""
    policies = {
        "secretsmanager": network_policies.secretsmanager(
            location, args["secret_prefix"], args.get("existing_secret_arns") or ()
        )
    }
    if prefix := args.get("parameter_prefix"):
        policies["ssm"] = network_policies.ssm(location, prefix)
    further = {
        "logs": network_policies.logs(location, args["log_group_prefix"]),
        "monitoring": network_policies.monitoring(location),
        "xray": network_policies.xray(location),
    }
    return policies | {service: further[service] for service in args.get("services", ())}
