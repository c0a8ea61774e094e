"""The AWS Parameters and Secrets Lambda Extension, for functions in the embedded AWS.

AWS ships its extension as a layer whose program Lambda starts in each execution environment, next
to the function. The layer here holds no program: the emulator starts the stand-in wherever that
layer is attached, whatever the function's runtime is.

It speaks the protocol and reads the variables that AWS documents:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
It does not register with the Lambda Extensions API.

layer     the layer, as a zip archive
launcher  starts the extension's process
server    the extension's process
settings  its environment variables
cache     what it remembers
"""
