"""Stack config. Only `settings` reads it.

schema, function_settings  type, range and default of each key (AWS's ranges: `infra.aws.limits`)
rules          rules that concern more than one key
errors         the type of an error, and pydantic's errors in the words of the config
partial        the rest of a config that has errors
namespaces     keys in a wrong namespace
environment    the settings of a stack, and what follows from them
functions      the functions of a stack; function_variables: their environment variables
code           the files that functions name
secret_values  encrypted values, for resources
warnings       what the preview warns of
"""
