"""Creates the components of one environment from its settings. It has no resources of its own.

Components know neither each other nor the settings, so this module passes outputs between them. It
has a function for each part, in the order in which `__main__` calls them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from . import own_files, physical_names
from .aws.location import Location
from .components import packages
from .components.app_secret import AppSecret
from .components.encryption_key import EncryptionKey, EncryptionKeyArgs
from .components.external_reader import ExternalReader
from .components.parameter_store import ParameterStore
from .components.private_network import PrivateNetwork
from .components.reader_role import ReaderRole
from .components.rotation_group import RotationGroup
from .components.secret_policy import SecretPolicy
from .components.secret_rotation import SecretRotation
from .components.secret_seeder import SecretSeeder
from .components.small_function import SmallFunctionArgs
from .config import functions, secret_values, seeding
from .config.environment import Environment
from .config.rules import network as network_rules
from .config.settings import reject
from .policies.parameters import parameter_arn

Arns = dict[str, pulumi.Input[str]]
Rotation = SecretRotation | RotationGroup
VpcConfig = aws.lambda_.FunctionVpcConfigArgsDict | None


@dataclass(frozen=True)
class Context:
    """What every part needs: settings, partition, region and account."""

    env: Environment
    location: Location

    def small_function(self, name: str, key: EncryptionKey) -> SmallFunctionArgs:
        """Return the args that all internal functions share."""
        roles = self.env.settings.roles
        return {
            "key_arn": key.arn,
            "log_group_name": physical_names.log_group(self.env.log_group_prefix, name),
            "role_path": roles.path,
            "permissions_boundary": roles.permissions_boundary,
            "tags": self.env.tags,
            **self.env.internal_functions,
        }

    def readers_of(self, secret: str) -> tuple[list[str], list[str]]:
        """ARNs of the roles in `readers` that may read a secret: in this account, in others."""
        arns = [
            reader.role
            for reader in self.env.settings.readers.values()
            if secret in reader.secrets
        ]
        here = [arn for arn in arns if self.is_here(arn)]
        return here, [arn for arn in arns if arn not in here]

    def is_here(self, role_arn: str) -> bool:
        """Whether a role belongs to the account of the deployment."""
        return Location.of(role_arn).account_id == self.location.account_id

    def files(self, *names: str, postgres: bool = False) -> dict[str, Path]:
        """Return the files of a package, with those for PostgreSQL if needed."""
        files = {name: own_files.HANDLER / name for name in names}
        if postgres:
            files |= {name: own_files.HANDLER / name for name in functions.POSTGRES}
            files["ca-bundle.pem"] = self.env.ca_bundle
            files |= packages.distribution("pg8000")
        return files


class Keys(NamedTuple):
    """The environment's key, and the keys of the replica regions."""

    home: EncryptionKey
    replicas: dict[str, EncryptionKey]

    @property
    def replica_arns(self) -> Arns:
        """Region -> ARN of the key there."""
        return {region: key.arn for region, key in self.replicas.items()}


@dataclass(frozen=True)
class Deployed:
    """The components that the resource policies and the alarms refer to."""

    keys: Keys
    secrets: Mapping[str, AppSecret]
    """Logical name -> secret."""
    seeders: list[SecretSeeder]
    rotations: Mapping[str, Rotation]
    """Logical name of a secret -> the component with the function that rotates it."""
    roles: Mapping[str, ReaderRole]
    """Logical name of a function -> its role."""


def encryption_keys(context: Context) -> Keys:
    """Create the environment's key, and one in each replica region."""
    env, settings = context.env, context.env.settings.key
    foreign_readers = env.foreign_readers(context.location.account_id)

    def args(region: str) -> EncryptionKeyArgs:
        return {
            "description": f"Secrets of {env.name}",
            "alias": f"{env.project}/{env.stack}",
            "partition": context.location.partition,
            "region": region,
            "account_id": context.location.account_id,
            "rotation_period_in_days": settings.rotation_period_days,
            "deletion_window_in_days": settings.deletion_window_days,
            "foreign_readers": foreign_readers or None,
            "protect": env.protects("protectKeys"),
            "tags": env.tags,
        }

    key = EncryptionKey(
        "environment",
        {
            **args(context.location.region),
            "log_group_prefix": env.log_group_prefix,
            "parameters": env.has_secure_parameters,
            "replication_regions": env.settings.replica_regions,
        },
    )
    replica_keys = {
        region: EncryptionKey(
            f"replica-{region}",
            {**args(region), "replication_regions": [context.location.region]},
        )
        for region in env.settings.replica_regions
    }
    return Keys(key, replica_keys)


def app_secrets(context: Context, keys: Keys) -> dict[str, AppSecret]:
    """Create the secrets; only values from config are written here."""
    env = context.env
    return {
        name: AppSecret(
            name,
            {
                "name": env.secret_prefix + name,
                "description": secret.description,
                "key_arn": keys.home.arn,
                "recovery_window_in_days": env.recovery_window_in_days(name),
                "value": secret_values.of_secret(name, secret),
                "replicas": keys.replica_arns,
                "protect": env.protects(f"protect.{name}"),
                "tags": env.tags,
            },
        )
        for name, secret in env.settings.own_secrets.items()
    }


def external_readers(
    context: Context, keys: Keys, secrets: Mapping[str, AppSecret]
) -> dict[str, ExternalReader]:
    """Grant the roles in `readers` that are in this account access to their secrets.

    A role of another account gets access through the policies of key and secret, and from its own
    account.
    """
    env = context.env
    return {
        name: ExternalReader(
            name,
            {
                "role_arn": reader.role,
                "secret_arns": {
                    env.secret_prefix + each: secrets[each].arn for each in reader.secrets
                },
                "key_arn": keys.home.arn,
                "replica_key_arns": keys.replica_arns,
                "path": env.settings.roles.path,
                "tags": env.tags,
            },
        )
        for name, reader in env.settings.readers.items()
        if context.is_here(reader.role)
    }


def parameter_store(context: Context, keys: Keys) -> tuple[Arns, Arns]:
    """Create the parameters; return ARNs by full name, SecureStrings separately."""
    env, parameters = context.env, context.env.settings.parameters
    if not parameters:
        return {}, {}
    store = ParameterStore(
        "parameters",
        {
            "parameters": {
                name: {
                    "name": env.parameter_prefix + name,
                    "type": parameter.type,
                    "value": secret_values.of_parameter(name, parameter),
                    "description": parameter.description,
                    "tier": parameter.tier,
                    "protect": env.protects(f"protectParameters.{name}"),
                }
                for name, parameter in parameters.items()
            },
            "key_arn": keys.home.arn,
            **context.location.args,
            "tags": env.tags,
        },
    )
    is_secure = {env.parameter_prefix + name: each.secure for name, each in parameters.items()}
    plain: Arns = {name: store.arns[name] for name, secure in is_secure.items() if not secure}
    secure: Arns = {name: store.secure_arns[name] for name, secure in is_secure.items() if secure}
    return plain, secure


class Network(NamedTuple):
    """The network of the functions that have no other."""

    vpc_config: VpcConfig
    """None: outside any VPC."""
    role_arns: list[pulumi.Output[str]]
    """ARNs of the functions' roles, known when their policies exist."""


@contextmanager
def private_network(context: Context) -> Iterator[Network]:
    """Create the endpoints and security groups, if configured.

    The block creates the roles of the functions and adds their ARNs to the network. They have to
    outlive the functions' security group, so it is created after them.
    """
    created: list[pulumi.Output[str]] = []
    resolve: Callable[[pulumi.Output[list[str]]], None]
    role_arns, resolve = pulumi.deferred_output()
    try:
        yield Network(_vpc_config(context, role_arns), created)
    finally:  # After an error, too: Pulumi would wait for the roles forever.
        resolve(pulumi.Output.all(*created))


def _vpc_config(context: Context, role_arns: pulumi.Output[list[str]]) -> VpcConfig:
    env, network = context.env, context.env.settings.network
    if not network.subnet_ids:
        return None
    if network.egress == "endpoints" or env.settings.protection == "strict":
        _check_subnets(env)
    if network.egress != "endpoints":
        return {
            "subnet_ids": network.subnet_ids,
            "security_group_ids": network.security_group_ids,
        }
    component = PrivateNetwork(
        "network",
        {
            "vpc_id": network.vpc_id or "",
            "subnet_ids": network.subnet_ids,
            **context.location.args,
            "secret_prefix": env.secret_prefix,
            "existing_secret_arns": env.settings.existing_arns(env.region) or None,
            "parameter_prefix": env.parameter_prefix if env.settings.parameters else None,
            "log_group_prefix": env.log_group_prefix,
            "services": network.services,
            "s3_route_table_ids": network.s3_route_table_ids,
            "database_security_group_id": network.database_security_group_id,
            "database_port": network.database_port,
            "role_arns": role_arns,
            "tags": env.tags,
        },
    )
    return {
        "subnet_ids": network.subnet_ids,
        "security_group_ids": [*network.security_group_ids, component.security_group_id],
    }


def _check_subnets(env: Environment) -> None:
    """Look up the subnets, and reject those that functions or endpoints cannot use.

    Raises:
        SettingsError: names every subnet that cannot be used.

    """
    network = env.settings.network
    looked_up = [aws.ec2.get_subnet(id=each) for each in network.subnet_ids]
    subnets = [
        network_rules.Subnet(each.id, each.vpc_id, each.availability_zone) for each in looked_up
    ]
    reject(env, network_rules.subnet_errors(network, subnets))


def seeders(
    context: Context, keys: Keys, secrets: Mapping[str, AppSecret], lost: Mapping[str, int]
) -> list[SecretSeeder]:
    """Create the functions that generate initial values, and call them; mostly it is one.

    `lost` is how often a generated parameter was lost, by logical name.
    """
    return [
        _seeder(context, keys, secrets, lost, (seeding.seeder(number), part))
        for number, part in enumerate(seeding.parts(context.env), start=1)
    ]


def _seeder(
    context: Context,
    keys: Keys,
    secrets: Mapping[str, AppSecret],
    lost: Mapping[str, int],
    named: tuple[str, seeding.Part],
) -> SecretSeeder:
    env, (name, part) = context.env, named
    return SecretSeeder(
        name,
        {
            "seeds": {
                name: {
                    "name": env.secret_prefix + name,
                    "arn": secrets[name].arn,
                    "fields": seed.fields,
                    "generate": seed.generated_fields(),
                }
                for name, seed in part.secrets.items()
            },
            "parameters": {
                name: {
                    "name": env.parameter_prefix + name,
                    "arn": parameter_arn(context.location, env.parameter_prefix + name),
                    "generate": seed.generated(),
                    "description": seed.description,
                    "tier": seed.tier,
                }
                for name, seed in part.parameters.items()
            },
            "times_lost": {key: times for key, times in lost.items() if key in part.parameters},
            "replica_key_arns": keys.replica_arns,
            "files": own_files.SEEDER,
            "handler": "seed.lambda_handler",
            **context.small_function(name, keys.home),
        },
    )


def seeded(seeders: list[SecretSeeder], *names: str | None) -> list[pulumi.Resource]:
    """Return the calls that write these initial values."""
    return [each.invocations[key] for each in seeders for key in names if key in each.invocations]


def ready(
    context: Context, seeders: list[SecretSeeder], restrictions: Mapping[str, SecretPolicy]
) -> dict[str, list[pulumi.Resource]]:
    """Return what each function waits for: values and resource policies of what it reads."""
    waits = {}
    for name, function in context.env.functions.items():
        own = function.settings
        parameters = [f"parameters/{each}" for each in own.parameters]
        policies = [restrictions[each] for each in own.secrets if each in restrictions]
        waits[name] = [*seeded(seeders, *own.secrets, *parameters), *policies]
    return waits


def secret_policies(
    context: Context, administrators: list[str], deployed: Deployed
) -> dict[str, SecretPolicy]:
    """Create the resource policies, which deny all but the functions and the administrators.

    Without `resourcePolicy.enabled`, only a secret with a reader in another account has a policy.
    """
    env, settings = context.env, context.env.settings.resource_policy
    rotations = deployed.rotations
    administered: dict[str, dict[Rotation, None]] = {}
    for other, rotation in env.rotations.items():
        if rotation.admin_secret:
            administered.setdefault(rotation.admin_secret, {})[rotations[other]] = None
    restrictions = {}
    for name, secret in deployed.secrets.items():
        here, elsewhere = context.readers_of(name)
        if not settings.enabled and not elsewhere:
            continue
        restrictions[name] = SecretPolicy(
            name,
            {
                "secret_arn": secret.arn,
                "partition": context.location.partition,
                "account_id": context.location.account_id,
                "readers": [
                    *(
                        deployed.roles[function.name].arn
                        for function in env.functions.values()
                        if name in function.settings.secrets
                    ),
                    *(each.role_arn for each in administered.get(name, ())),
                    *here,
                ],
                "foreign_readers": elsewhere or None,
                "writers": [
                    *([rotations[name].role_arn] if name in rotations else []),
                    *(each.role_arn for each in deployed.seeders if name in each.invocations),
                ],
                "administrators": administrators if settings.enabled else [],
                "organization_id": settings.organization_id,
            },
        )
    return restrictions
