"""S3: buckets, and what is set of them one by one.

Left out, since a bucket here is found at once and its settings are read back at once: the
provider's waits, of which that for a lifecycle takes it a minute, and its second attempts while a
bucket is not found or another change is under way.
"""
