"""Secrets Manager: values and their labels, rotation, replicas, resource policies."""
