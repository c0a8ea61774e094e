"""Pulumi components: a module for each, named after its class; the values come in by its args.

`archive_bucket`, `grants`, `kms_key`, `packages` and `small_function` hold what components share,
as functions. No component imports another, or `infra.config`.
"""
