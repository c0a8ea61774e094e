"""What stack config must keep to beyond each key by itself: a module for each section.

In each, `errors()` yields a `ConfigError` for every rule that is not kept; it is called with the
module's name, as in `rotation.errors(…)`, here and in `infra.changes`. Messages hold no value
that may be secret. `check` runs all of them. Three are not sections: `sensitive`, asked by
`secrets` and `parameters`, knows what looks like a password; `schedules`, asked by `rotation`,
which schedules AWS takes; `names` yields whole lines, as its rules are not about keys. No module
here imports Pulumi or boto3.
"""
