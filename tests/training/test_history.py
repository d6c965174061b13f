"""The history: columns by name, a short table, and a drawing."""

from __future__ import annotations

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from chainrule.training import History

mpl.use("Agg")


def test_a_history_is_a_mapping_from_names_to_columns() -> None:
    history = History()
    history.extend({"loss": [0.9], "r2": [0.1]})
    history.extend({"loss": [0.4, 0.3], "r2": [0.5, 0.6]})
    assert dict(history) == {"loss": [0.9, 0.4, 0.3], "r2": [0.1, 0.5, 0.6]}
    assert history.epochs == 3


def test_a_long_history_shows_its_two_ends() -> None:
    lines = repr(History({"loss": [float(i) for i in range(30)]})).splitlines()
    assert lines[0].split() == ["epoch", "loss"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3", "4", "5", "...", "26", "27", "28", "29", "30"]


@pytest.mark.parametrize(("lowest", "scale"), [(0.25, "log"), (-0.25, "linear")])
def test_the_plot_has_both_curves_and_the_best_epoch(lowest: float, scale: str) -> None:
    history = History({"loss": [1.0, 0.5, lowest], "validation_loss": [1.1, 0.4, 0.7]})
    axes = history.plot(Figure().add_subplot())
    assert axes.get_legend_handles_labels()[1] == ["training", "validation", "lowest in epoch 2"]
    assert axes.get_yscale() == scale


def test_a_history_becomes_a_table_with_its_columns() -> None:
    import pandas as pd
    import polars as pl

    history = History({"loss": [0.9, 0.4], "r2": [0.1, 0.5]})
    for frame in (pd.DataFrame(history), pl.DataFrame(history)):
        assert list(frame.columns) == ["loss", "r2"]
        assert frame["r2"].to_list() == [0.1, 0.5]
