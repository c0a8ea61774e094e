"""Policy documents: pure functions over plain strings that return JSON-shaped dicts.

Which role or resource gets a document is up to the component. No Pulumi, no boto3.
"""
