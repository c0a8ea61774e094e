"""Lambda: its layers, limits and roles, and the metrics of its functions."""
