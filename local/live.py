"""A table that changes while something happens."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

_REFRESH_SECONDS = 0.1


@contextmanager
def shown(table: Callable[[], Table], terminal: Console) -> Iterator[None]:
    """Show a table as it changes on a terminal, and once at the end elsewhere."""
    if not terminal.is_terminal:
        yield
        terminal.print(table())
        return
    with Live(table(), console=terminal, auto_refresh=False) as live:
        done = threading.Event()

        def show() -> None:
            while not done.wait(_REFRESH_SECONDS):
                live.update(table(), refresh=True)

        thread = threading.Thread(target=show)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            live.update(table(), refresh=True)
