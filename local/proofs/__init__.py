"""Proves what a deployment promises: checks, rotations under traffic, and outages.

`make up` runs `checks`, then, with Pulumi's engine, `engine_checks`, in the order of their lists.
`function_checks` checks one function, whatever its code. `role_access` deploys our own functions
with the role of a function: `probe` reports what the role can read, `reader` reads through the
client. `results` has the outcome of a check.
`traffic` calls the functions during rotations and outages.
"""
