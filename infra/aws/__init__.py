"""Facts about AWS, each with its source: limits, schedules, and versions of the extension.

`limits` also has limits and defaults of this project, marked as ours.
"""
