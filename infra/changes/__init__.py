"""Finds changes that would delete or overwrite a value, before anything is deployed.

`comparison` runs all checks. `recorded_state` and `lookups` get what exists from Pulumi;
`recorded` has its types. The other modules are pure: they compare it with the settings, and report
the commands that keep the value.
"""
