"""Work that takes a while, done beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from .endpoints import Busy

AT_ONCE = 4  # of one kind, so that a slow kind leaves processors to the quick ones
WAIT = 10.0  # seconds for its turn
_NAME = "chainrule lab"  # of the threads

T = TypeVar("T")


class Work:
    """Does work in threads, not more than four of a kind at once.

    The threads are daemons: who presses Ctrl-C does not wait for an answer that nobody will see.
    """

    def __init__(self) -> None:
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def do(self, kind: str, function: Callable[..., T], *arguments: Any) -> T:
        """Return what a function returns, or raise what it raises.

        Raises
        ------
        Busy
            When its turn does not come within ten seconds.
        """
        turn = self._turns.setdefault(kind, asyncio.Semaphore(AT_ONCE))
        try:
            async with asyncio.timeout(WAIT):
                await turn.acquire()
        except TimeoutError:
            raise Busy("the server is busy with what was asked before: try again in a few seconds") from None
        try:
            done = in_thread(function, *arguments)
        except BaseException:  # the system has no more threads
            turn.release()
            raise
        done.add_done_callback(lambda _: turn.release())
        # Where the page has gone, the work goes on to its end, and only then is it the next one's turn.
        return await asyncio.shield(done)


def in_thread(function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
    """Call a function in a thread of its own, and return what will have its result."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]
        else:
            done.set_exception(error)

    def work() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = function(*arguments)
        except StopIteration as raised:  # which cannot be handed over as it is
            error = RuntimeError(f"{raised!r}")
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # of a server that has ended, where nobody waits
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, daemon=True, name=_NAME).start()
    return done
