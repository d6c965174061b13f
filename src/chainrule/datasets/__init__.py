"""Small real tables that come along, so that everything can be tried without a file of one's own.

>>> load_dataset("penguins").shape
(344, 8)
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import unknown_name

if TYPE_CHECKING:
    import polars as pl

# The column that is usually predicted.
DEFAULT_TARGET = {
    "penguins": "species",
    "iris": "target",
    "wine": "target",
    "digits": "target",
    "breast_cancer": "target",
    "diabetes": "target",
}

_PENGUINS = Path(__file__).with_name("penguins.csv")


def names() -> list[str]:
    """Return the names of the bundled data sets."""
    return list(DEFAULT_TARGET)


def load_dataset(name: str) -> pl.DataFrame:
    """Return a bundled data set.

    Parameters
    ----------
    name : str
        One of :func:`names`. `DEFAULT_TARGET` has the column that is usually predicted.

    Returns
    -------
    DataFrame
        Features in their original units, and the target: names of classes, digits 0 … 9, or numbers
        (diabetes).

    Raises
    ------
    InputError
        When there is no data set of this name.
    """
    if name not in DEFAULT_TARGET:
        raise unknown_name("data set", name, names())
    if name == "penguins":
        import polars as pl  # here, since whoever only asks for names should not wait for it

        return pl.read_csv(_PENGUINS, null_values="NA")
    return _from_scikit_learn(name)


def _from_scikit_learn(name: str) -> pl.DataFrame:
    import polars as pl

    loaders: Any = import_module("sklearn.datasets")
    settings = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(loaders, f"load_{name}")(**settings)
    features = pl.DataFrame(bunch.data, schema=[_snake_case(column) for column in bunch.feature_names])
    named = name in ("iris", "wine", "breast_cancer")
    target = bunch.target_names[bunch.target].tolist() if named else bunch.target
    return features.with_columns(pl.Series("target", target))


def _snake_case(name: str) -> str:
    """Return a column name as Python would spell it: "sepal length (cm)" becomes "sepal_length_cm"."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
