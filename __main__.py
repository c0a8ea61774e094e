"""One environment: its keys and secrets, the functions that read and rotate them, and alarms."""

import gc

import pulumi
import pulumi_aws as aws

from infra import (
    app_functions,
    cost,
    observability,
    physical_names,
    secret_rotations,
    wiring,
)
from infra.aws.location import Location
from infra.changes import comparison
from infra.config import settings, warnings

# Nearly all objects of a program live until it ends. With Python's own thresholds, looking for
# garbage among them takes half of the time, and more for each resource the more there are.
gc.set_threshold(50_000, 20, 1_000)

env = settings.load()
identity = aws.get_caller_identity()
settings.check_account(env, identity.account_id)
lost = comparison.keep_values(env)
for warning in warnings.warnings(env, identity.account_id):
    pulumi.log.warn(warning)
administrators = settings.administrators(env, identity.arn)
location = Location(env.partition, env.region, identity.account_id)
context = wiring.Context(env, location)
physical_names.register(env.names.physical_prefix)

keys = wiring.encryption_keys(context)
secrets = wiring.app_secrets(context, keys)
plain_parameters, secure_parameters = wiring.parameter_store(context, keys)
seeders = wiring.seeders(context, keys, secrets, lost)
with wiring.private_network(context) as network:
    rotations = secret_rotations.secret_rotations(context, keys, secrets, seeders, network)
    roles = app_functions.reader_roles(
        context, keys, secrets, (plain_parameters, secure_parameters), network
    )
deployed = wiring.Deployed(keys, secrets, seeders, rotations, roles)
restrictions = wiring.secret_policies(context, administrators, deployed)
readers = wiring.external_readers(context, keys, secrets)
functions = app_functions.extension_functions(
    context, keys, roles, network.vpc_config, wiring.ready(context, seeders, restrictions)
)
trail = observability.audit(context)
monitored = observability.monitoring(context, deployed, functions, trail)

pulumi.export("secret_arns", {name: secret.arn for name, secret in secrets.items()})
pulumi.export("parameter_arns", {**plain_parameters, **secure_parameters})
pulumi.export("functions", app_functions.outputs(functions, roles))
pulumi.export("read_policy_arns", app_functions.read_policy_arns(readers, roles))
if first := env.first_function:
    pulumi.export("function_name", functions[first.name].name)
    pulumi.export("function_arn", functions[first.name].arn)
    pulumi.export("function_alias_arn", functions[first.name].alias_arn)
    pulumi.export("role_arn", roles[first.name].arn)
    pulumi.export("log_group_name", functions[first.name].log_group_name)
pulumi.export("rotation_function_arns", {name: r.function_arn for name, r in rotations.items()})
pulumi.export("key_arn", keys.home.arn)
pulumi.export("key_alias", keys.home.alias_name)
pulumi.export("replica_key_arns", keys.replica_arns)
pulumi.export("layer_arn", env.layer_arn)
if trail:
    pulumi.export("trail_arn", trail.trail_arn)
if monitored:
    alarms, topic = monitored
    pulumi.export("alarm_topic_arn", topic.arn)
    pulumi.export("alarm_names", alarms.alarm_names)
    pulumi.export("dashboard_name", alarms.dashboard_name)
pulumi.export("protection", env.settings.protection)
pulumi.export("exemptions", {key: each.reason for key, each in env.settings.exemptions.items()})
pulumi.export("monthly_cost", cost.output(cost.estimate(env.settings)))
