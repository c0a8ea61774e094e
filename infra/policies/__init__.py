"""Policy documents: pure functions over plain strings that return JSON-shaped dicts.

iam              what roles may do with secrets, keys, logs, traces and networks; key policies
parameters       the same for parameters
resource_policy  what a secret denies, whatever IAM allows
endpoints        what may pass through a VPC endpoint
audit            policies of the trail's key and bucket
monitoring       policies of the alarm topic and its key; the watch's role

The components attach them to roles and resources. No Pulumi, no boto3.
"""
