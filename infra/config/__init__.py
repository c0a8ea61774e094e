"""Stack config, and its one reader, `settings`.

`schema` has each key's type, range and default (ranges of AWS: `infra.aws.limits`); `rules` has
only what no key by itself can show. `errors` is what is wrong; `namespaces`, keys of another's.
"""
