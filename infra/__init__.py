"""Deploy time: everything that `pulumi up` runs. `handler/` is what it packs, known by path alone.

wiring         puts the components of one environment together, by its settings
app_functions  the same for the functions that read, and their roles
observability  the same for what watches it: audit trail, alarms and dashboard
cost           what the environment costs a month
own_files      where `handler/` and the project are, in a checkout and in an installed wheel
names          names and URNs of its secrets and parameters
packaging      what a function's package has, and why it could not run
components     Pulumi components; the only folder that makes resources
config         stack config: its keys, its rules, and the settings that they become
policies       IAM, key and endpoint policies as documents
alarms         what alarms look for and what they say; the dashboard
changes        deployments that would lose a value: refused here, with the way that keeps it
aws            limits, layer versions and schedules, each with its source; where something is
"""
