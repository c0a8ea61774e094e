"""Day 2 of a stack: each change of its config alone, and back, with Pulumi's own engine.

changes  the changes
patches  config with some keys changed
run      makes a change and the way back, and checks what became of the stack
report   the table of docs/operations.md
"""
