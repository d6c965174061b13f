"""Sharing: a program prints what the page shows, and a scene is the same after a trip through a model file."""

from __future__ import annotations

import ast
import base64
import io
from contextlib import redirect_stdout
from pathlib import Path
from subprocess import run
from sys import executable
from typing import Any

import msgspec
import numpy as np
import pytest

import chainrule as cr
from chainrule.lab.endpoints import File
from chainrule.lab.training import Lesson, Trained
from chainrule.tables import read_text
from tests.helpers.asking import ask

CHAIN: dict[str, Any] = {"weights": [[[1.5]], [[-0.25]], [[0.1]]], "learning_rate": 0.5}
SMALL: dict[str, Any] = {
    "inputs": 2,
    "layers": [{"units": 3, "activation": "tanh", "bias": True}, {"units": 2, "activation": "softmax"}],
    "loss": "cross_entropy",
    "weights": [[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]],
    "biases": [[0.1, 0.2, 0.3], None],
    "x": [0.1, -0.2],
    "y": [1],
    "sign": "y-f",
    "notation": "superscript",
}
LARGE: dict[str, Any] = {
    "inputs": 15,
    "layers": [{"units": 12, "bias": True}, {"units": 3}],
    "x": [0.1] * 15,
    "y": [0.5] * 3,
}
COUNTS: dict[str, Any] = {"loss": "poisson", "layers": [{"activation": "softplus"}]}


def asked(path: str, **body: Any) -> Any:
    return ask(None, path, body)  # type: ignore[arg-type]


def printed(program: str) -> dict[str, Any]:
    """Return what a program prints in lines of a name and a value, run here."""
    output = io.StringIO()
    with redirect_stdout(output):
        exec(compile(program, "snippet", "exec"), {})  # noqa: S102 - of our own making
    return values(output.getvalue())


def values(output: str) -> dict[str, Any]:
    found = {}
    for line in output.splitlines():
        name, _, value = line.partition(": ")
        try:
            found[name] = ast.literal_eval(value)
        except (SyntaxError, ValueError):
            found[name] = value
    return found


def check(found: dict[str, Any], timeline: Any) -> None:
    assert found["loss"] == timeline["loss"]
    for i, (weights, biases) in enumerate(zip(*timeline["gradient"].values(), strict=True), start=1):
        assert found[f"delta_{i}"] == timeline["delta"][i]
        assert found[f"gradient of W_{i}"] == weights
        assert found.get(f"gradient of b_{i}") == biases
    assert found["after one step"] == timeline["updated"]["weights"]


def test_a_program_runs_as_it_stands_and_prints_the_numbers_of_the_page() -> None:
    program = asked("/api/snippet", scene=CHAIN)["python"]
    done = run([executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    found = values(done.stdout)
    check(found, asked("/api/timeline", scene=CHAIN))
    assert found["the gradient of the loss by w_1"] == "x(1−f₁²)(1−f₂²)(1−f₃²)·w₂w₃·2(f₃−y)"
    assert found["gradient right"].startswith("3 parameters checked")
    assert done.stderr == ""


@pytest.mark.parametrize("scene", [{}, SMALL, LARGE, {**CHAIN, "layers": [{}, {}, {"activation": "relu"}]}])
def test_the_program_of_any_network_prints_its_numbers(scene: dict[str, Any]) -> None:
    program = asked("/api/snippet", scene=scene)["python"]
    check(printed(program), asked("/api/timeline", scene=scene))
    assert ("cr.chain" in program) == (scene == {})
    assert max(map(len, program.splitlines())) <= 120


def test_the_program_writes_formulae_as_the_page_does() -> None:
    found = printed(asked("/api/snippet", scene=SMALL)["python"])
    assert found["the gradient of the loss by w_{1,1,1}"].startswith("x₁((a⁽²⁾₁(y₁+y₂)−y₁)·w⁽²⁾₁,₁+")


def test_a_network_that_has_overflowed_is_not_verified() -> None:
    scene = {"layers": [{"activation": "exponential"}] * 2, "weights": [[[900]], [[1]]], "x": [1]}
    program = asked("/api/snippet", scene=scene)["python"]
    assert "verify(" not in program
    assert "the gradient of the loss by w_1" in printed(program)


@pytest.mark.parametrize(
    ("data", "layers", "loss"),
    [
        ({"name": "spiral", "rows": 40}, [{"units": 3}, {"units": 1}], "squared_error"),
        ({"name": "moons", "rows": 40}, [{"units": 3}, {"units": 2, "activation": "softmax"}], "cross_entropy"),
        ({"name": "xor", "rows": 40, "held_out": 0}, [{"units": 2, "activation": "logistic"}], "squared_error"),
        ({"name": "regression", "rows": 40, "noise": 0.3}, [{"activation": "identity"}], "squared_error"),
        ({"name": "penguins"}, [{"units": 3, "activation": "softmax"}], "cross_entropy"),
    ],
)
@pytest.mark.parametrize("how", [{"optimizer": "sgd", "clip_norm": 0.1}, {"optimizer": "lbfgs"}])
def test_the_program_trains_as_the_page_does(data: Any, layers: Any, loss: str, how: dict[str, Any]) -> None:
    inputs = 15 if data["name"] == "penguins" else 2
    scene = {"inputs": inputs, "layers": layers, "loss": loss, "x": [0.1] * inputs}
    scene["y"] = [1.0] if loss == "cross_entropy" else [0.5] * layers[-1].get("units", 1)
    training = {**how, "epochs": 3, "batch_size": 8, "l2": 0.01, "seed": 5}
    found = printed(asked("/api/snippet", scene=scene, data=data, training=training)["python"])
    body = {"scene": scene, "data": data, "training": training}
    lesson = Lesson.of(msgspec.convert(body, Trained))
    trained = lesson.further(lesson.run, 3)
    assert found["training loss"] == trained.history["loss"][-1]
    assert found["weights"] == [weights.tolist() for weights in trained.parameters.weights]


def test_the_program_ends_its_training_where_the_page_does() -> None:
    program = asked(
        "/api/snippet",
        scene={"inputs": 2, "x": [1, 2]},
        data={"name": "gaussians"},
        training={"optimizer": "adam", "learning_rate": 0.1, "loss_below": 0.5, "patience": 7, "start_epoch": 4},
    )["python"]
    assert printed(program)["training loss"] < 0.5
    assert "patience=7" in program
    assert "4 epochs came before" in program


def test_an_own_table_is_read_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    csv = "a,b\n" + "\n".join(f"{k},{2.5 * k}" for k in range(30))
    (tmp_path / "table.csv").write_text(csv)
    monkeypatch.chdir(tmp_path)
    scene = {"layers": [{"activation": "identity"}]}
    program = asked("/api/snippet", scene=scene, data={"name": "own", "csv": csv}, training={"epochs": 5})["python"]
    assert printed(program)["training loss"] < 2


@pytest.mark.parametrize(
    "column", ['quote"', "apostrophe'", "back\\slash", "größe 😀", "both\"'", "x\"); print('no') #"]
)
def test_the_name_of_a_column_stays_a_text(column: str) -> None:
    quoted = column.replace('"', '""')
    csv = f'a,"{quoted}"\n' + "\n".join(f"{k},{2.5 * k}" for k in range(30))
    scene = {"layers": [{"activation": "identity"}]}
    program = asked("/api/snippet", scene=scene, data={"name": "own", "csv": csv}, training={"epochs": 5})["python"]
    texts = [one.value for one in ast.walk(ast.parse(program)) if isinstance(one, ast.Constant)]
    assert read_text(csv).columns[-1] in texts


def test_data_that_do_not_fit_the_network_are_refused() -> None:
    with pytest.raises(cr.InputError, match="these data have 2 inputs, but the network has 1"):
        asked("/api/snippet", scene={}, data={"name": "xor"}, training={})


@pytest.mark.parametrize("scene", [{}, CHAIN, SMALL, LARGE, COUNTS])
def test_a_scene_is_the_same_after_a_trip_through_a_model_file(scene: dict[str, Any], tmp_path: Path) -> None:
    file = asked("/api/model", scene=scene)
    assert isinstance(file, File)
    assert file.name == "network.safetensors"
    (tmp_path / file.name).write_bytes(file.content)
    before = asked("/api/timeline", scene=scene)
    net = cr.load(tmp_path / file.name)
    assert net.parameters.weights[0].tolist() == before["weights"][0]
    opened = asked("/api/open-model", content=base64.b64encode(file.content).decode())["scene"]
    after = asked("/api/timeline", scene=opened)
    for what in ("network", "weights", "biases"):
        assert after[what] == before[what]


def model(net: cr.Network, path: Path, largest: float = 0.0) -> str:
    theta = np.array(net.initial().vector)
    theta[0] += largest
    cr.Model(net, net.parameters(theta)).save(path / "some.safetensors")
    return base64.b64encode((path / "some.safetensors").read_bytes()).decode()


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (cr.chain(9), "it has 9 layers, and the page has room for 8"),
        (cr.Network(65, [cr.Dense(1)]), "it has 65 inputs"),
        (cr.Network(1, [cr.Dense(2), cr.Dense(13)]), "layer 2 has 13 units, and the page has room for 12"),
        (cr.Network(1, [cr.Dense(2, dropout=0.5), cr.Dense(1)]), "layer 1 has dropout"),
        (cr.chain(1, cr.activations.leaky_relu(0.3)), "layer 1 has .*leaky_relu.* only as it usually is"),
        (cr.chain(1, loss=cr.losses.quantile(0.9)), "its loss is .*quantile"),
    ],
)
def test_a_network_that_the_page_has_no_room_for_is_refused(net: cr.Network, message: str, tmp_path: Path) -> None:
    with pytest.raises(cr.InputError, match=f"this model cannot be shown here: {message}"):
        asked("/api/open-model", content=model(net, tmp_path))


def test_a_parameter_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(cr.InputError, match=r"it has a parameter of size 1e\+09"):
        asked("/api/open-model", content=model(cr.chain(2), tmp_path, largest=1e9))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is truncated: 0 bytes"),
        (b"PK\x03\x04 something else altogether", "the file is not a safetensors file"),
        (b"\x02\0\0\0\0\0\0\0{}", "the file"),
        (b"\0" * 1_000_001, "the file has 1,000,001 bytes, and the lab takes 1,000,000"),
    ],
)
def test_what_is_no_model_file_is_refused_without_the_name_of_a_folder(content: bytes, message: str) -> None:
    with pytest.raises(cr.InputError, match=message) as caught:
        asked("/api/open-model", content=base64.b64encode(content).decode())
    assert "/" not in str(caught.value)


def test_what_is_no_base64_is_refused() -> None:
    with pytest.raises(cr.InputError, match="must be sent in base64"):
        asked("/api/open-model", content="ä" * 8)
