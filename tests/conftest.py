"""What every test stands on: nothing of the caller's environment, and strict Pulumi outputs."""

import os

for name in list(os.environ):
    if name.startswith(("AWS_", "PULUMI_")):
        del os.environ[name]
# An f-string over an Output raises instead of writing a warning into the string.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"
