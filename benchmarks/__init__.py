"""Benchmarks; `make bench` compares the client with its peers and writes RESULTS.md.

They are measurements, not tests: nothing here fails because it is slow.
"""
