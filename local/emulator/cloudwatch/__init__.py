"""CloudWatch: alarms by their own data, and what they set off."""
