"""What several services need: the caller, permissions of services, ministack's event loop."""
