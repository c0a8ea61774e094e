"""Everything that runs at `pulumi up`. It packages `handler/`, which it knows only by path.

wiring         creates the components of one environment from its settings
app_functions  the same for the functions that read secrets, and their roles
observability  the same for audit trail, alarms and dashboard
cost           estimate of the monthly cost
own_files      where `handler/` and the project are, in a checkout and in an installed wheel
names          names and URNs of secrets, parameters and log groups
physical_names names of roles and functions
packaging      packages of functions, and why they could not run
components     Pulumi components; the only folder that creates resources
config         stack config: its keys, its rules, and the resulting settings
policies       IAM, key and endpoint policy documents
alarms         filters and texts of the alarms; the dashboard
changes        rejects deployments that would lose a value, with commands that keep it
aws            limits, layer versions and schedules, each with its source
"""
