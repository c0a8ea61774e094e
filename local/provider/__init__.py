"""An AWS provider for Pulumi on the embedded AWS, with a module for each service."""
