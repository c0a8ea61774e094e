"""What runs the program: Pulumi's own engine by its CLI, or the built-in one, which only creates.

Both make resources by `local.provider`, and leave a `record` of what they made.
"""
