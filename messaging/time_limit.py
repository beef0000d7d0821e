"""An end for what has none of its own. A pure file: standard library only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future


def within(seconds: float, act: Callable[[], object]) -> None:
    """Do it in at most so many seconds; raises what it raises, or TimeoutError.

    A socket's timeout ends one wait, not a conversation: a server that drips its answer, or a name that nobody
    resolves, outlives it. What hangs is left to a thread of its own, which keeps no process alive.
    """
    outcome: Future[None] = Future()

    def attempt() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 (it is raised again by `result`)
            outcome.set_exception(error)
        else:
            outcome.set_result(None)

    threading.Thread(target=attempt, name="within", daemon=True).start()
    try:
        outcome.result(seconds)
    except TimeoutError:
        if outcome.done():
            raise
        raise TimeoutError(f"no end after {seconds:g} s") from None
