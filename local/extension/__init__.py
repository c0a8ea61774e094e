"""The AWS Parameters and Secrets Lambda Extension, for functions in the embedded AWS.

AWS ships its extension as a layer. Lambda starts the program in it in each execution environment,
next to the function. The layer here contains no program: the emulator starts this local version
wherever that layer is attached, for any runtime.

It implements the protocol and reads the variables that AWS documents:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
It does not register with the Lambda Extensions API.

layer     the layer, as a zip archive
launcher  starts the extension's process
server    the extension's process
settings  its environment variables
cache     its cached responses
"""
