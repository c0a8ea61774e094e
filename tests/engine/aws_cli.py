#!/usr/bin/env python
"""The one command of the AWS CLI that an advice holds; for want of the CLI."""

import sys

import boto3

*command, name = sys.argv[1:5]
assert command == ["ssm", "get-parameter", "--name"], command
options = ["--with-decryption", "--query", "Parameter.Value", "--output", "text"]
assert sys.argv[5:] == options, sys.argv[5:]
print(boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])  # noqa: T201
