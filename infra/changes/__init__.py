"""Changes that would delete or overwrite a value, found before anything is deployed.

`comparison` runs it all. `recorded_state` and `lookups` ask Pulumi what is there; `recorded` is
what they answer. The other modules are pure: they compare it with the settings, and say which
command keeps the value.
"""
