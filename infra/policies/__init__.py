"""Policy documents: pure functions over plain strings that return JSON-shaped dicts.

iam              what roles may do with secrets, keys, logs, traces and networks; key policies
parameters       the same for parameters
resource_policy  what a secret refuses, whatever IAM allows
endpoints        what may pass a VPC endpoint
audit, monitoring

Which role or resource gets a document is up to the component. No Pulumi, no boto3.
"""
