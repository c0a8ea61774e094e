"""CloudWatch Logs: filter patterns, and the metrics that they make of lines."""
