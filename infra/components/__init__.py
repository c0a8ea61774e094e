"""Pulumi components: one module each, named after its class; all values come from its args.

`archive_bucket`, `grants`, `kms_key`, `packages` and `small_function` are functions that the
components share. No component imports another component or `infra.config`.
"""
