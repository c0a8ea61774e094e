"""What alarms look for (`filters`), what they say (`incidents`), and the dashboard. Pure.

The alarms themselves are made by `infra.components.monitoring`.
"""
