"""The retrieval client beside its peers, in one run: `make bench` writes RESULTS.md.

Measurements, no tests: nothing here fails for being slow.
"""
