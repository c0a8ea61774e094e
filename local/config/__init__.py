"""A Pulumi project on disk, as the CLI reads it: YAML, stack files, types of config values."""
