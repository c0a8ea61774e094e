"""CloudTrail: an event for each call, and the trails that events go to."""
