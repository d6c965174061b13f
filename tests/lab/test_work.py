"""Work beside the event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from chainrule.lab.work import AT_ONCE, Work


def test_a_thread_that_cannot_begin_takes_no_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def ask() -> int:
        work = Work()
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", fail)
            for _ in range(AT_ONCE):
                with pytest.raises(RuntimeError, match="can't start new thread"):
                    await work.do("a kind", int)
        async with asyncio.timeout(2):
            return await work.do("a kind", int, "7")

    assert asyncio.run(ask()) == 7
