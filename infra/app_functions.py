"""Creates the functions that read secrets, each with its own role.

As in `wiring`, there is a function for each part, in the order in which `__main__` calls them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pulumi

from . import own_files
from .aws.extension import ExtensionArgs
from .components.app_secret import AppSecret
from .components.extension_function import ExtensionFunction, RuntimeArgs
from .components.external_reader import ExternalReader
from .components.reader_role import ReaderRole
from .config import function_variables
from .config.functions import AppFunction
from .packaging import client
from .wiring import Arns, Context, Keys, Network, VpcConfig

_RUNTIME = {
    "runtime",
    "architecture",
    "memory_mb",
    "timeout_seconds",
    "reserved_concurrency",
    "log_retention_days",
    "tracing",
}


def reader_roles(
    context: Context,
    keys: Keys,
    secrets: Mapping[str, AppSecret],
    parameters: tuple[Arns, Arns],
    network: Network,
) -> dict[str, ReaderRole]:
    """Create the role of each function, which may read what the function's config lists.

    `parameters` are the ARNs by full name, SecureStrings separately.
    """
    roles = {
        name: _reader_role(context, keys, secrets, parameters, function)
        for name, function in context.env.functions.items()
    }
    network.role_arns.extend(role.arn for role in roles.values())
    return roles


def _reader_role(
    context: Context,
    keys: Keys,
    secrets: Mapping[str, AppSecret],
    parameters: tuple[Arns, Arns],
    function: AppFunction,
) -> ReaderRole:
    env, own = context.env, function.settings
    names = {env.parameter_prefix + name for name in own.parameters}
    plain, secure = ({name: arns[name] for name in arns if name in names} for arns in parameters)
    existing = env.settings.existing_secrets
    return ReaderRole(
        function.name,
        {
            "secret_arns": {
                env.secret_prefix + name: secret.arn
                for name, secret in secrets.items()
                if name in own.secrets
            },
            "existing_secrets": {
                each.existing: each.key_arn
                for name, each in existing.items()
                if each.existing and name in own.secrets
            }
            or None,
            "describe_secrets": own.describe_secrets or None,
            "key_arn": keys.home.arn,
            "replica_key_arns": keys.replica_arns,
            "parameter_arns": plain,
            "secure_parameter_arns": secure,
            "log_group_arn": context.location.log_group_arn(
                f"{env.log_group_prefix}{function.log_group}"
            ),
            "tracing": own.tracing,
            "in_vpc": bool((own.network or env.settings.network).subnet_ids),
            "dead_letter_arn": own.dead_letter_queue,
            "managed_policy_arns": own.role.policy_arns or None,
            "path": own.role.path or env.settings.roles.path,
            "permissions_boundary": own.role.permissions_boundary
            or env.settings.roles.permissions_boundary,
            "tags": env.tags,
        },
        _taking_over(function),
    )


def extension_functions(
    context: Context,
    keys: Keys,
    roles: Mapping[str, ReaderRole],
    vpc_config: VpcConfig,
    ready: Mapping[str, list[pulumi.Resource]],
) -> dict[str, ExtensionFunction]:
    """Create each function, after its resources in `ready`."""
    env = context.env
    components = {}
    for name, function in env.functions.items():
        own = function.settings
        components[name] = ExtensionFunction(
            name,
            {
                "role_arn": roles[name].arn,
                "layer_arn": function.layer_arn(env.region),
                "layer_arns": own.layers or None,
                "key_arn": keys.home.arn,
                "log_group_name": f"{env.log_group_prefix}{function.log_group}",
                "files": _files(context, function),
                "handler": own.handler,
                "environment": function_variables.of(function, env.settings, env.names),
                "environment_key_arn": own.environment_key,
                "vpc_config": _vpc_config(function, vpc_config),
                "extension": cast("ExtensionArgs", function.extension_args()),
                "code_signing_config_arn": own.code_signing_config_arn,
                "dead_letter_arn": own.dead_letter_queue,
                "options": own.options or None,
                "tags": env.tags,
                **cast("RuntimeArgs", own.model_dump(include=_RUNTIME)),
            },
            pulumi.ResourceOptions.merge(
                _taking_over(function), pulumi.ResourceOptions(depends_on=ready[name])
            ),
        )
    return components


def outputs(
    functions: Mapping[str, ExtensionFunction], roles: Mapping[str, ReaderRole]
) -> dict[str, dict[str, pulumi.Output[str]]]:
    """Return the stack output `functions`, by logical name."""
    return {
        name: {
            "name": function.name,
            "arn": function.arn,
            "alias_arn": function.alias_arn,
            "role_arn": roles[name].arn,
            "log_group_name": function.log_group_name,
        }
        for name, function in functions.items()
    }


def read_policy_arns(
    readers: Mapping[str, ExternalReader], roles: Mapping[str, ReaderRole]
) -> dict[str, list[pulumi.Output[str]]]:
    """Return the stack output `read_policy_arns`: policies for `readers` and for functions."""
    arns = {name: reader.policy_arns for name, reader in readers.items()}
    return arns | {name: role.policy_arns for name, role in roles.items()}


def _vpc_config(function: AppFunction, of_stack: VpcConfig) -> VpcConfig:
    """Return the function's own VPC settings, or the stack's."""
    own = function.settings.network
    if own is None:
        return of_stack
    if not own.subnet_ids:
        return None
    return {"subnet_ids": own.subnet_ids, "security_group_ids": own.security_group_ids}


def _taking_over(function: AppFunction) -> pulumi.ResourceOptions:
    """Return the name of the component whose resources it takes over; they keep that name."""
    if function.earlier_name is None:
        return pulumi.ResourceOptions()
    return pulumi.ResourceOptions(aliases=[pulumi.Alias(name=function.earlier_name)])


def _files(context: Context, function: AppFunction) -> dict[str, Path]:
    own = function.settings
    if function.is_example:
        example = context.files(Path(own.code).name, postgres=own.ca_bundle)
        return {**example, **client.files(own_files.HANDLER)}
    ca_bundle = {"ca-bundle.pem": context.env.ca_bundle} if own.ca_bundle else {}
    return {**context.env.packages[function.name], **ca_bundle}
