"""Pulumi components: a module for each, named after its class; the values come in by its args.

`grants` and `packages` are shared by components. No component imports another, or `infra.config`.
"""
