"""``chainrule predict``: predictions of a saved model for the rows of a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError

if TYPE_CHECKING:
    import polars as pl


def predict(
    model: Annotated[Path, typer.Argument(help="A model that `chainrule train` saved.")],
    data: Annotated[str, typer.Argument(help="A table with the columns that the model was trained on.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A CSV file for the predictions, instead of the screen.")
    ] = None,
) -> None:
    """Write a prediction for every row of a table, as CSV."""
    # Imported here, since they take longer to load than --help should take to answer.
    import polars as pl

    from ..files import write_atomically
    from ..model import load
    from ..tables import Encoding, Target, read_table

    trained = load(model, own=None)
    if not isinstance(trained.preprocessing, dict) or set(trained.preprocessing) != {"encoding", "target"}:
        raise InputError(f"{model} was not trained on a table: use chainrule.load(...).predict on arrays")
    encoding = Encoding.from_json(trained.preprocessing["encoding"])
    target = Target.from_json(trained.preprocessing["target"])
    if len(encoding.feature_names) != trained.network.inputs or target.outputs != trained.network.outputs:
        raise InputError(f"{model}: its preprocessing does not fit its network")
    frame = read_table(data, text=encoding.text_columns)
    outputs = trained.predict(encoding.transform(frame))
    for column, count in encoding.unseen(frame).items():
        print(f"note: {count} values of {column} had no part in training", file=sys.stderr)
    columns: dict[str, Any] = {target.name: target.decode(outputs)}
    if target.task == "classification":
        columns |= {f"probability_{label}": outputs[:, k] for k, label in enumerate(target.classes)}
    table: pl.DataFrame = pl.DataFrame(columns)
    if output is None:
        sys.stdout.write(table.write_csv())
    else:
        write_atomically(output, table.write_csv().encode())
        print(f"{len(table)} predictions in {output}", file=sys.stderr)
