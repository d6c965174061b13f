"""Work that goes on for a while in a thread, and of which the page hears the latest, for as long as it listens."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeAlias
from weakref import WeakSet

from .endpoints import Busy

AT_ONCE = 4
PAUSE = 0.05  # seconds between two frames: at most 20 a second
UNHEARD = 15.0  # seconds after which a job ends of which nobody wants to hear
NAME = "chainrule lab job"  # of the threads

Frame: TypeAlias = dict[str, Any]

_lock = threading.Lock()
_running: WeakSet[Job] = WeakSet()  # and those that are about to begin


class Job:
    """Runs a generator of frames in a thread; as an async iterator, gives the latest frame, at most 20 a second.

    A frame that was not fetched before the next is there is joined with it, so nothing is kept for who listens slowly.
    The generator is asked for one frame after another, and closed between two of them when the page goes. It begins
    when the first frame is asked for; a job that is dropped before that was none.

    Parameters
    ----------
    frames : generator
    joined : callable
        Returns one frame in place of two.

    Raises
    ------
    Busy
        When four jobs are running.
    """

    def __init__(self, frames: Generator[Frame], joined: Callable[[Frame, Frame], Frame]) -> None:
        self._frames, self._joined = frames, joined
        self._latest: Frame | None = None
        self._error: BaseException | None = None
        self._guard = threading.Lock()
        self._stop, self._ended = threading.Event(), threading.Event()
        self._begun = False
        self._listened, self._due = time.monotonic(), 0.0
        self._call: Callable[[], object] = lambda: None  # wakes who waits for a frame
        with _lock:
            if len(_running) >= AT_ONCE:
                raise Busy(f"{AT_ONCE} networks are being trained: pause one of them, or wait until it is done")
            _running.add(self)

    def _work(self) -> None:
        try:
            for frame in self._frames:
                with self._guard:
                    self._latest = frame if self._latest is None else self._joined(self._latest, frame)
                    self._call()
                if self._stop.is_set() or time.monotonic() - self._listened > UNHEARD:
                    break
            self._frames.close()
        except BaseException as error:  # which is raised where somebody listens
            self._error = error
        finally:
            with _lock:
                _running.discard(self)
            with self._guard:
                self._ended.set()
                self._call()

    def __aiter__(self) -> Job:
        return self

    async def __anext__(self) -> Frame:
        """Return the latest frame, when the last is 50 ms old."""
        self._listened = float("inf")
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._work, daemon=True, name=NAME).start()
        try:
            await asyncio.sleep(self._due - time.monotonic())
            while True:
                with self._guard:
                    frame, self._latest = self._latest, None
                    ended = self._ended.is_set()
                    there = asyncio.Event()
                    self._call = partial(_wake, asyncio.get_running_loop(), there)
                if frame is not None:
                    self._due = time.monotonic() + PAUSE
                    return frame
                if self._error is not None:
                    raise self._error
                if ended:
                    raise StopAsyncIteration
                await there.wait()
        finally:
            self._listened = time.monotonic()

    async def aclose(self) -> None:
        """End the job: its thread sees it before the next frame."""
        self._stop.set()
        if not self._begun:
            with _lock:
                _running.discard(self)


def _wake(loop: asyncio.AbstractEventLoop, there: asyncio.Event) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(there.set)


def running() -> int:
    """Return how many jobs are running."""
    with _lock:
        return len(_running)
