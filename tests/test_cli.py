"""The commands as a user types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import chainrule as cr
from chainrule import datasets
from tests.helpers.commands import COMMAND, chainrule


def test_train_then_predict(tmp_path: Path) -> None:
    trained = chainrule("train", "penguins", "--target", "species", "--json", "--plot", "curve.png", folder=tmp_path)
    report = json.loads(trained.stdout)
    assert report["score"] > 0.9 > report["guessing"]
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    predicted = chainrule("predict", report["model"], "penguins", "-o", "out.csv", folder=tmp_path)
    assert predicted.returncode == 0, predicted.stderr
    table = pl.read_csv(tmp_path / "out.csv")
    assert len(table) == 344
    assert set(table["species"]) == {"Adelie", "Chinstrap", "Gentoo"}


@pytest.mark.parametrize("arguments", [[], ["lesson"]])
def test_without_a_command_the_help_is_shown(arguments: list[str], tmp_path: Path) -> None:
    shown = chainrule(*arguments, folder=tmp_path)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr == chainrule(*arguments, "--help", folder=tmp_path).stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["doctor"], ["derive", "--chain", "20"]])
def test_output_for_which_there_is_no_room(arguments: list[str], tmp_path: Path) -> None:
    command = [*COMMAND, *arguments]
    with Path("/dev/full").open("w") as full:
        refused = subprocess.run(command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, "error: [Errno 28] No space left on device\n")


@pytest.mark.parametrize("arguments", [["doctor"], ["derive", "--chain", "20"]])
def test_output_that_nobody_reads(arguments: list[str], tmp_path: Path) -> None:
    command = [*COMMAND, *arguments]
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(command, cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that can close a stream")
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_output_that_is_closed(closed: str, tmp_path: Path) -> None:
    command = f'"{sys.executable}" -c "from chainrule.cli import main; main()" lesson families {closed}'
    ended = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S602
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_help_lists_the_bundled_data_and_the_defaults_of_each_task(tmp_path: Path) -> None:
    shown = " ".join(chainrule("train", "--help", folder=tmp_path).stdout.split())
    assert all(name in shown for name in datasets.names())
    assert "[default: (100; for regression 32)]" in shown


def test_derive_writes_a_derivation_in_every_form(tmp_path: Path) -> None:
    shown = chainrule("derive", "--chain", "3", "--activation", "tanh", folder=tmp_path).stdout
    assert "∂ℒ/∂w₁ = x(1−f₁²)(1−f₂²)(1−f₃²)·w₂w₃·2(f₃−y)" in shown
    numbers = chainrule(
        "derive", "--widths", "2,1", "--x", "0.5,1", "--y", "0.3", "--sign", "y-f", folder=tmp_path
    ).stdout
    assert "−2(y₁−f₁,₁)" in numbers
    latex = chainrule("derive", "--chain", "1", "--bias", "--format", "markdown", folder=tmp_path).stdout
    assert r"b_{1} \leftarrow b_{1} - \eta" in latex
    assert chainrule("derive", "--format", "mermaid", folder=tmp_path).stdout.startswith("flowchart")
    written = chainrule("derive", "--format", "html", "-o", "derivation.html", folder=tmp_path)
    assert written.returncode == 0, written.stderr
    page = (tmp_path / "derivation.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<math>" in page


def test_derive_reads_a_model(tmp_path: Path) -> None:
    net = cr.Network(2, [cr.Dense(3, "tanh"), cr.Dense(2, "softmax")], "cross_entropy")
    cr.Model(net, net.initial()).save(tmp_path / "model.safetensors")
    shown = chainrule("derive", "model.safetensors", "--x", "0.5,1", "--y", "1", "--matrices", folder=tmp_path).stdout
    assert "δ₁ = (δ₂W₂ᵀ)⊙(1−f₁²)" in shown


@pytest.mark.parametrize("command", [["derive"], ["predict", "iris"]])
def test_a_model_with_definitions_of_your_own_is_for_python(command: list[str], tmp_path: Path) -> None:
    cubic = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3 * z**2)
    net = cr.Network(1, [cr.Dense(1, cubic), cr.Dense(1)])
    cr.Model(net, net.initial()).save(tmp_path / "own.safetensors")
    name, *rest = command
    result = chainrule(name, "own.safetensors", *rest, folder=tmp_path)
    assert result.returncode == 2
    assert "unknown activation 'cubic'" in result.stderr
    assert "can only be used in Python, by chainrule.load" in result.stderr
    assert "own=" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "pdf"], "unknown format 'pdf'"),
        (["--chain", "2", "--widths", "1,1"], "give one of them"),
        (["--x", "0.5"], "--x and --y are both needed"),
        (["--x", "a", "--y", "1"], "--x takes numbers"),
        (["--widths", "2"], "--widths takes whole numbers"),
        (["--widths", "2,0,1"], "--widths takes whole numbers as in 100,50, each from 1 to"),
        (["--sign", "plus"], "sign must be"),
        (["--notation", "greek"], "notation must be"),
        (["--output-activation", "identity"], "--output-activation does not go with a chain"),
        (["--widths", "1,1", "--bias"], "--bias does not go with --widths"),
        (["none.safetensors"], "none.safetensors"),
        (["-o", "none/out.txt"], "there is no folder none"),
    ],
)
def test_derive_refuses_bad_input_in_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    refused = chainrule("derive", *arguments, folder=tmp_path)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_regression_prints_the_score_beside_that_of_guessing(tmp_path: Path) -> None:
    trained = chainrule("train", "diabetes", "--target", "target", "--epochs", "3", folder=tmp_path)
    assert "held-out R²" in trained.stdout
    assert "always guessing" in trained.stdout
    assert (tmp_path / "diabetes-target.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nofile.csv", "--target", "y"], "file not found: nofile.csv"),
        (["penguins", "--target", "specis"], "did you mean 'species'"),
        (["penguins", "--target", "species", "--activation", "rleu"], "did you mean 'relu'"),
        (["penguins", "--target", "species", "--optimizer", "adm"], "did you mean 'adam'"),
        (["penguins", "--target", "species", "--hidden", "ten"], "--hidden takes whole numbers"),
        (["penguins", "--target", "species", "--hidden", "-1"], "or 0 for no hidden layer, but is '-1'"),
        (["penguins", "--target", "species", "--hidden", "5,0"], "or 0 for no hidden layer, but is '5,0'"),
        (["penguins", "--target", "species", "--batch-size", "5000"], "is larger than the"),
        (["penguins", "--target", "species", "--plot", "curve.pgn"], "did you mean '.png'"),
        (["penguins", "--target", "species", "--output", "none/m.safetensors"], "there is no folder none"),
        (["penguins", "--target", "species", "--output", os.devnull], "it is not a regular file, but a device"),
        (["empty.csv", "--target", "y"], "empty.csv"),
        (["one_class.csv", "--target", "y"], "one"),
        (["missing.csv", "--target", "y"], "--ignore"),
        (["infinite.csv", "--target", "y"], "infinit"),
    ],
)
def test_bad_input_gets_one_line_and_status_2_and_leaves_no_file(
    arguments: list[str], message: str, tmp_path: Path
) -> None:
    rows = range(20)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "one_class.csv").write_text("x,y\n" + "".join(f"{i},a\n" for i in rows))
    (tmp_path / "missing.csv").write_text("x,m,y\n" + "".join(f"{i},,{'ab'[i % 2]}\n" for i in rows))
    (tmp_path / "infinite.csv").write_text("x,y\n" + "".join(f"{i if i else 'inf'},{'ab'[i % 2]}\n" for i in rows))
    before = set(tmp_path.iterdir())
    result = chainrule("train", *arguments, folder=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "penguins"], "--target"),
        (["train", "penguins", "--target", "species", "--epochs", "abc"], "'--epochs'"),
        (["train", "penguins", "--target", "species", "--epoch", "5"], "--epochs"),
        (["tran"], "tran"),
    ],
)
def test_a_wrong_option_gets_one_line_and_status_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = chainrule(*arguments, folder=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_json_is_json_even_where_a_score_is_not_a_number(tmp_path: Path) -> None:
    (tmp_path / "flat.csv").write_text("x,y\n" + "".join(f"{i},{7.5 if i else 8.5}\n" for i in range(40)))
    arguments = ["train", "flat.csv", "--target", "y", "--task", "regression", "--epochs", "1", "--json"]
    report = json.loads(chainrule(*arguments, folder=tmp_path).stdout, parse_constant=pytest.fail)
    assert "score" in report


def test_text_where_numbers_were_in_training(tmp_path: Path) -> None:
    chainrule("train", "iris", "--target", "target", "--epochs", "1", "-o", "m.safetensors", folder=tmp_path)
    columns = "sepal_length_cm,sepal_width_cm,petal_length_cm,petal_width_cm"
    (tmp_path / "bad.csv").write_text(f"{columns}\n1,2,3,4\n1,2,wide,4\n")
    result = chainrule("predict", "m.safetensors", "bad.csv", folder=tmp_path)
    assert result.returncode == 2
    assert "wide" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_hostile_model_file(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes((2**60).to_bytes(8, "little") + b"{}")
    result = chainrule("predict", "m.safetensors", "iris", folder=tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)


def test_divergence_ends_with_status_1_one_line_and_no_file(tmp_path: Path) -> None:
    arguments = ["--target", "target", "--optimizer", "sgd", "--learning-rate", "1e9"]
    result = chainrule("train", "diabetes", *arguments, folder=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("error: training diverged in epoch 1, batch ")
    assert result.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_progress_and_ctrl_c_saves_what_was_learnt(tmp_path: Path) -> None:
    import pty

    arguments = ["train", "iris", "--target", "target", "--epochs", "1000000", "--patience", "1000000"]
    command = [*COMMAND, *arguments]
    terminal, end = pty.openpty()
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=end, text=True) as child:
        shown = b""
        while b"validation" not in shown:
            shown += os.read(terminal, 1000)
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=60)
    os.close(end)
    os.close(terminal)
    assert child.returncode == 0
    assert "(interrupted)" in output
    assert [path.name for path in tmp_path.iterdir()] == ["iris-target.safetensors"]
