"""Stack config, and its one reader, `settings`.

`schema` has each key's type, range and default (ranges of AWS: `infra.aws.limits`); `rules` has
only what no key by itself can show. `environment` is what is read, and what follows from it;
`secret_values` gives encrypted values to resources. `errors` is what is wrong; `namespaces`, keys
of another's.
"""
