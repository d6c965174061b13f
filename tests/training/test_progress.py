"""The progress bar shows on a terminal, and is silent elsewhere."""

from __future__ import annotations

import pytest

import chainrule as cr

NET = cr.chain(1)


def test_nothing_is_shown_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    cr.train(NET, 0.5, 0.8, epochs=3)
    assert capsys.readouterr() == ("", "")


def test_the_bar_tells_epoch_and_losses(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    cr.train(NET, 0.5, 0.8, epochs=3, validation=(0.5, 0.8), progress=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "3/3" in shown.err
    assert "loss" in shown.err
    assert "validation" in shown.err
