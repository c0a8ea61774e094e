"""S3: buckets, and their settings, which are resources of their own.

The real provider's waits, such as a minute for a lifecycle, and its retries for a new bucket or a
concurrent change are left out, because buckets and settings are consistent immediately here.
"""
