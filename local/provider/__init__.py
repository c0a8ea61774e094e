"""Pulumi's AWS provider for the embedded AWS: a module for each service."""
