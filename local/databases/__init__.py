"""A real PostgreSQL on loopback, for the secrets of a stack that log in to a database."""
