"""Stack config, and its one reader, `settings`.

`schema` and `function_settings` have each key's type, range and default (ranges of AWS:
`infra.aws.limits`); `rules` has only what no key by itself can show. `environment` is what is
read, and what follows from it: `functions` are those of the stack, `code` the files that they
name. `secret_values` gives encrypted values to resources. `errors` is what is wrong, `partial`
what can be read in spite of it; `namespaces`, keys of another's.
"""
