"""Rules of stack config that concern more than one key: a module for each section.

In each, `errors()` yields a `ConfigError` for every broken rule. Call it with the module's name,
as in `rotation.errors(…)`. Messages never contain a value that may be secret. `check` runs all
modules. Four are not sections: `names` and `region` yield whole lines, because their rules are not
about keys of the project; `sensitive` finds what looks like a password, for `secrets` and
`parameters`; `schedules` knows the rotation schedules that AWS accepts. No module here imports
Pulumi or boto3.
"""
