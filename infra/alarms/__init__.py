"""The filters, texts (`incidents`) and dashboard of the alarms. Pure.

`infra.components.monitoring` creates the alarms.
"""
