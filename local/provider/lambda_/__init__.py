"""Lambda: functions of zips, their versions' aliases, who may invoke them, and invocations.

Left out: what the real provider retries (a role that Lambda cannot assume yet, a permission whose
function is unknown yet) is known at once here; images, and code in S3.
"""
