"""Data in the lab: points in the plane, bundled tables, and a table that was dropped on the page."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from chainrule import InputError
from chainrule.datasets import DEFAULT_TARGET
from chainrule.lab import data
from chainrule.lab.answers import encode
from chainrule.lab.endpoints import Lab
from chainrule.lab.pictures import Pictures
from chainrule.network import Dense, Network
from chainrule.tables import prepare, read_table


def ask(scene: dict[str, Any] | None = None, **wanted: Any) -> Any:
    def no_progress() -> Any:
        raise AssertionError("data have nothing to do with progress")

    body = msgspec.convert({"data": wanted, "scene": scene}, data.Asked)
    return msgspec.json.decode(encode(data.told(Lab(no_progress), body)))


def test_points_as_the_page_is_told_of_them() -> None:
    told = ask(name="circles", rows=200, held_out=0.25)
    assert (told["inputs"], told["outputs"]) == (2, 1)
    assert (told["rows"], told["held_out"]) == (150, 50)
    assert (len(told["x"]), len(told["held_out_rows"]["y"])) == (150, 50)
    assert {*told["y"]} == {-1, 1}
    assert told["names"] == ["x₁", "x₂"]
    assert told["range"] == [[-6, 6], [-6, 6]]
    assert told["suggests"] == {"inputs": 2, "outputs": 1, "loss": "squared_error", "output_activation": "tanh"}


@pytest.mark.parametrize(
    ("layer", "loss", "expected"),
    [
        ({"activation": "logistic"}, "binary_cross_entropy", [0, 1]),
        ({"activation": "logistic"}, "squared_error", [0, 1]),
        ({"activation": "identity"}, "squared_error", [-1, 1]),
        ({"units": 2, "activation": "softmax"}, "cross_entropy", [0, 1]),
        ({"units": 2}, "squared_error", [[0, 1], [1, 0]]),
    ],
)
def test_targets_are_written_as_the_network_needs_them(layer: dict[str, Any], loss: str, expected: list[Any]) -> None:
    told = ask({"inputs": 2, "layers": [layer], "loss": loss, "x": [0, 0]}, name="xor")
    assert all(y in expected for y in told["y"])
    assert all(y in told["y"] for y in expected)


@pytest.mark.parametrize("name", DEFAULT_TARGET)
def test_bundled_tables_are_as_chainrule_train_makes_them(name: str) -> None:
    told = ask(name=name, held_out=0.2)
    prepared = prepare(read_table(name), DEFAULT_TARGET[name])
    assert told["rows"] == len(prepared.x)
    assert told["inputs"] == prepared.x.shape[1] == len(told["names"])
    assert told["target"] == DEFAULT_TARGET[name]
    assert told["target"] in told["targets"]
    assert np.allclose(told["x"], prepared.x[:1000], atol=1e-4)
    assert told["outputs"] == prepared.target.outputs == (len(told["classes"]) if told["classes"] else 1)


def test_another_column_can_be_the_target() -> None:
    told = ask(name="penguins", target="body_mass_g")
    assert told["classes"] is None
    assert told["suggests"]["output_activation"] == "identity"
    assert told["notes"] == ["Left out 2 rows without a value in 'body_mass_g'."]


OWN = "size,colour,kind\n" + "".join(
    f"{i},{'red' if i % 3 else 'blue'},{'big' if i > 9 else 'small'}\n" for i in range(20)
)


def test_an_own_table_is_encoded_and_its_last_column_is_the_target() -> None:
    told = ask(name="own", csv=OWN)
    assert told["names"] == ["size", "colour=blue", "colour=red"]
    assert told["classes"] == ["big", "small"]
    assert told["targets"] == ["size", "colour", "kind"]
    assert told["rows"] + told["held_out"] == 20


@pytest.mark.parametrize("separator", [";", "\t"])
def test_columns_of_an_own_table_may_be_separated_otherwise(separator: str) -> None:
    assert ask(name="own", csv="\ufeff" + OWN.replace(",", separator)) == ask(name="own", csv=OWN)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"name": "cirlces"}, "unknown data set 'cirlces': did you mean 'circles'? Known: breast_cancer, "),
        ({"name": "own"}, "the own table is missing: drop a CSV file on the page, or choose one"),
        ({"name": "own", "csv": ""}, "the table is empty"),
        ({"name": "own", "csv": "a,b\n"}, "the table has no rows: a header, but no data"),
        ({"name": "own", "csv": "a,b\n1,2\n1,2,3\n"}, "the table, row 2 (line 3): 3 fields, but the header has 2"),
        ({"name": "own", "csv": 'a,b\n1,"2\n'}, "the table, line 2: unexpected end of data; check its quotation marks"),
        ({"name": "own", "csv": "a,b\n1,2\n1,inf\n"}, "the table: column 'b', row 2: inf is infinite"),
        ({"name": "own", "csv": OWN, "target": "kid"}, "unknown column 'kid': did you mean 'kind'?"),
        ({"name": "own", "csv": "a,b\n" + "1,2\n" * 50_001}, "the table has 50,001 rows, and the lab takes 50,000"),
        ({"name": "own", "csv": '"\n"' + ",c" * 100 + "\n"}, "the table has 101 columns, and the lab takes 100: leave"),
        (
            {"name": "own", "csv": "\ufeff\n\r\n\n" + ",c" * 100},
            "the table has 101 columns, and the lab takes 100: leave",
        ),
        (
            {"name": "own", "csv": ",".join(f"c{i}" for i in range(66)) + "\n" + (",".join("1" * 66) + "\n") * 20},
            "target 'c65' has one value only, '1': there is nothing to learn",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(wanted: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        ask(**wanted)
    assert message in str(error.value)


def test_a_table_that_is_too_wide_is_refused() -> None:
    rows = [[f"c{column}" for column in range(66)]] + [[str(row + column) for column in range(66)] for row in range(30)]
    with pytest.raises(InputError, match="make 65 inputs, and the lab takes 64: leave columns out"):
        ask(name="own", csv="\n".join(map(",".join, rows)))


def test_what_an_own_table_makes_otherwise_than_it_looks_is_told() -> None:
    """A spreadsheet may end each line with a comma, and one text among numbers makes its column categories."""
    told = ask(name="own", csv=OWN.replace("\n", ",\n").replace("\n7,", "\nn/a,"))
    assert told["target"] == "kind"
    assert "size=n/a" in told["names"]
    assert told["notes"] == [
        "Left out column 'column 4', which has no value.",
        "Column 'size' is read as categories, since row 8 holds 'n/a': write a number there, or leave the field empty.",
    ]
    many = "a,b,y\n-,-,0\n" + "".join(f"{i % 45},{i % 40},{i % 2}\n" for i in range(90))
    with pytest.raises(InputError, match=r"inputs, and the lab takes 64: leave columns out; column 'a' is read as cat"):
        ask(name="own", csv=many)


def test_an_own_table_whose_last_column_cannot_be_predicted_is_about_the_one_before() -> None:
    told = ask(name="own", csv="a,b,c\n" + "".join(f"{i},{i % 2},name {i}\n" for i in range(60)))
    assert told["target"] == "b"
    assert told["notes"][0].startswith("Target 'c' has 60 distinct values in 60 rows, too many for classes; predict")


def test_a_network_that_does_not_fit_is_told_what_to_change() -> None:
    found = data.ready(data.Data(name="iris"))
    with pytest.raises(InputError, match="these data have 4 inputs, but the network has 2: give it 4"):
        found.y_for(Network(2, [Dense(3)]), found.training)
    with pytest.raises(InputError, match="the last layer has 1 unit, but for these data it needs 3: change it"):
        found.y_for(Network(4, [Dense(1)]), found.training)


@pytest.mark.parametrize(
    ("name", "target", "kind"),
    [("circles", None, "boundary"), ("penguins", None, "confusion"), ("diabetes", None, "scatter")],
)
def test_what_a_network_makes_of_data_is_drawn(name: str, target: str | None, kind: str) -> None:
    found = data.ready(data.Data(name=name, target=target))
    outputs, loss, activation = found.suggested()
    net = Network(found.inputs, [Dense(outputs, activation)], loss)
    drawn = Pictures(net, found).drawn(net.initial(0, "float32"))
    assert drawn["fit"]["kind"] == kind
    if kind == "boundary":
        assert drawn["fit"]["values"].shape == (2500,)
        assert np.abs(drawn["fit"]["values"]).max() <= 1
    if kind == "confusion":
        right = np.trace(drawn["fit"]["counts"]) / drawn["fit"]["counts"].sum()
        assert drawn["score"]["value"] == pytest.approx(right)
        assert drawn["fit"]["counts"].sum() == len(found.held_out)


def test_a_line_is_drawn_for_one_input() -> None:
    csv = "x,y\n" + "".join(f"{i / 10},{(i / 10) ** 2}\n" for i in range(40))
    found = data.ready(data.Data(name="own", csv=csv))
    net = Network(1, [Dense(1)])
    drawn = Pictures(net, found).drawn(net.pack([[[2.0]]], [[1.0]]))
    assert drawn["fit"]["kind"] == "line"
    assert np.allclose(drawn["fit"]["y"], 2 * drawn["fit"]["x"] + 1, atol=1e-3)
