"""Facts about AWS, each with its source: limits, schedules, and versions of the extension."""
