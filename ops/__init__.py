"""`python -m ops`: what an operator needs and Pulumi does not have.

It reads the stack's config and state with the Pulumi CLI, and asks AWS with the caller's
credentials. It reads no secret value.

import_file  the file with which `pulumi import` takes over a stack's key and secrets
leftovers    what has the stack's tags and is not in its state
stack        a stack's config and state
"""
