"""Arguments of `aws.lambda.Function`: those that this program sets, and those it passes on.

https://www.pulumi.com/registry/packages/aws/api-docs/lambda/function/
"""

_IMAGE = (
    "a container image has no layers, so it has no extension; deploy it elsewhere and use the SDK"
)
OWN = {
    "architectures": "use `architecture`",
    "code": "use `code`",
    "codeSha256": "it is computed from `code`",
    "codeSigningConfigArn": "use `codeSigningConfigArn` of the function",
    "deadLetterConfig": "use `deadLetterQueue`",
    "environment": "use `environment` of the function",
    "handler": "use `handler` of the function",
    "imageConfig": _IMAGE,
    "imageUri": _IMAGE,
    "kmsKeyArn": "use `environmentKey`",
    "layers": "use `layers` of the function",
    "memorySize": "use `memoryMb`",
    "packageType": _IMAGE,
    "publish": "every deployment publishes a version and moves the alias `live` to it",
    "region": "use aws:region",
    "reservedConcurrentExecutions": "use `reservedConcurrency`",
    "role": "use `role` of the function",
    "runtime": "use `runtime` of the function",
    "s3Bucket": "use `code`",
    "s3Key": "use `code`",
    "s3ObjectVersion": "use `code`",
    "sourceCodeHash": "it is computed from `code`",
    "tags": "use `tags`",
    "timeout": "use `timeoutSeconds`",
    "tracingConfig": "use `tracing`",
    "vpcConfig": "use `network`",
}
"""Argument that is set -> what to use instead."""

PASSED = (
    "capacityProviderConfig",
    "description",
    "durableConfig",
    "ephemeralStorage",
    "fileSystemConfig",
    "loggingConfig",
    "name",
    "publishTo",
    "replaceSecurityGroupsOnDestroy",
    "replacementSecurityGroupIds",
    "skipDestroy",
    "snapStart",
    "sourceKmsKeyArn",
    "tenancyConfig",
    "useResourceTimeoutForPropagation",
)
"""Arguments that are passed on unchanged."""
