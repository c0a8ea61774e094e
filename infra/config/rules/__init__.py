"""What stack config must keep to beyond each key by itself: a module for each section.

Every rule yields a path and what is wrong there, never a value that may be secret. `stack` runs
all of them. No module here imports Pulumi or boto3.
"""
