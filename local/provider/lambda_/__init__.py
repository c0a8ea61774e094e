"""Lambda: functions from zips, aliases, permissions, and invocations.

Left out: images and code in S3, and the retries of the real provider for a new role or function,
which are known immediately here.
"""
