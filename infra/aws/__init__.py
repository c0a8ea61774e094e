"""Facts about AWS, each with its source: limits, schedules, and versions of the extension.

`limits` also has what this project limits or defaults itself, marked as ours.
"""
