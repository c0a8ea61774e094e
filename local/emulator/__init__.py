"""The emulator's process: ministack, with the gaps closed that this project's promises meet.

One module or more per service. Every patch is named after the gap it closes and wraps the function
that has it, so that an upgrade of ministack shows, by `AttributeError` at the start or by its
test, which patches may go. Nothing here is imported by the process that starts the emulator.
"""
