"""A scene as a program: Python that runs as it stands, and prints the numbers that the page shows."""

from __future__ import annotations

from collections.abc import Iterator
from pprint import pformat
from textwrap import indent
from typing import Any

import numpy as np

from ..datasets.points import POINTS
from ..diagnostics.trace import backprop
from ..network import Network
from ..optimizers import OPTIMIZERS
from .data import OWN, Data, Ready, ready
from .scene import Scene
from .timeline import read
from .training import DTYPE, Training
from .written import written

_WIDTH = 100


def snippet(scene: Scene, data: Data | None = None, training: Training | None = None) -> str:
    """Return a program that builds a network and shows its numbers; with data and training it trains it as well.

    Raises
    ------
    InputError
        When the scene does not fit together, or the data do not fit the network.
    """
    net, params, x, y = read(scene)
    gradient = backprop(net, params, x, y).gradient.vector
    lines = [*_network(scene, net), "", *_numbers(scene, net, x, y, checks=bool(np.isfinite(gradient).all()))]
    imports = ["import chainrule as cr"]
    if scene.notation != "lecture":
        imports.append("from chainrule.formula import text")
    if data is not None and training is not None:
        imports.append("from chainrule.lab.data import Data, ready")
        lines += ["", *_data(data, ready(data), net), "", *_training(training)]
        if data.name == OWN:
            imports = ["from pathlib import Path", "", *imports]
    return "\n".join([*imports, "", *lines, ""])


def _network(scene: Scene, net: Network) -> Iterator[str]:
    loss = "" if net.loss.name == "squared_error" else f", loss={_quoted(net.loss.name)}"
    activations = {layer.activation.name for layer in net.layers}
    if net.is_chain and len(activations) == 1 and not any(layer.bias for layer in net.layers):
        yield f"net = cr.chain({len(net.layers)}, activation={_quoted(activations.pop())}{loss})"
    else:
        yield "net = cr.Network("
        yield f"    {net.inputs},"
        yield "    ["
        for layer in net.layers:
            yield f"        cr.Dense({layer.units}, {_quoted(layer.activation.name)}, bias={layer.bias}),"
        yield "    ],"
        yield f"    loss={_quoted(net.loss.name)},"
        yield ")"
    if scene.weights is None:
        yield f"params = net.initial(seed={scene.seed})"
        return
    yield "params = net.pack("
    yield f"{_value('weights', scene.weights)}"
    if scene.biases is not None and any(layer.bias for layer in net.layers):
        yield f"{_value('biases', scene.biases)}"
    yield ")"


def _value(name: str, numbers: Any) -> str:
    return indent(f"{name}={pformat(_lists(numbers), width=_WIDTH, compact=True)},", "    ")


def _lists(numbers: Any) -> Any:
    return [_lists(one) for one in numbers] if isinstance(numbers, (tuple, list)) else numbers


def _numbers(scene: Scene, net: Network, x: Any, y: Any, checks: bool) -> Iterator[str]:
    yield f"x = {pformat(x, width=_WIDTH, compact=True)}"
    yield f"y = {y}"
    yield "trace = cr.backprop(net, params, x, y)"
    yield "print(trace)"
    yield 'print("loss:", trace.loss)'
    yield "for i in range(1, len(net.layers) + 1):"
    yield '    print(f"delta_{i}:", trace.delta[i][0].tolist())'
    yield '    print(f"gradient of W_{i}:", trace.gradient.weights[i - 1].tolist())'
    if any(layer.bias for layer in net.layers):
        yield "    if net.layers[i - 1].bias:"
        yield '        print(f"gradient of b_{i}:", trace.gradient.biases[i - 1].tolist())'
    yield ""
    yield f"rate = {scene.learning_rate!r}"
    yield "theta, _ = cr.SGD(rate).update(params.vector, trace.gradient.vector, {}, rate, step=1)"
    yield "updated = net.parameters(theta)"
    yield 'print("after one step:", [weights.tolist() for weights in updated.weights])'
    yield ""
    settings = "" if scene.sign == "f-y" else f", sign={_quoted(scene.sign)}"
    settings += "" if scene.notation == "lecture" else f", notation={_quoted(scene.notation)}"
    steps = written(net, scene.sign, scene.notation).derivation.steps
    name = next(step.name for step in steps if step.name.startswith("gradient")).split()[1]
    yield f"derivation = cr.derive(net{settings})"
    formula = f"derivation.gradient({_quoted(name)})"
    shown = formula if scene.notation == "lecture" else f"text({formula}, notation={_quoted(scene.notation)})"
    yield f'print("the gradient of the loss by {name}:", {shown})'
    yield "print(cr.verify(net, params, x, y))" if checks else "# The gradient is not finite, so cannot be verified."


def _data(data: Data, made: Ready, net: Network) -> Iterator[str]:
    made.y_for(net, made.training)  # whose complaint about what does not fit belongs here
    settings = [f"name={_quoted(data.name)}"]
    if data.name in POINTS:
        settings += [f"noise={data.noise!r}", f"rows={data.rows}"]
    if data.name == OWN:
        yield "# The table that was dropped on the page:"
        settings.append('csv=Path("table.csv").read_text(encoding="utf-8")')
    if made.target is not None:
        settings.append(f"target={_quoted(made.target)}")
    settings += [f"held_out={data.held_out!r}", f"seed={data.seed}"]
    yield f"data = ready(Data({', '.join(settings)}))"
    yield f'x, y = data.training.x.astype("{DTYPE}"), data.y_for(net, data.training)'
    if len(made.held_out):
        yield f'validation = data.held_out.x.astype("{DTYPE}"), data.y_for(net, data.held_out)'
    else:
        yield "validation = None"


def _training(training: Training) -> Iterator[str]:
    plain = OPTIMIZERS.find(training.optimizer)
    rate = f"learning_rate={training.learning_rate!r}" if plain.has_learning_rate else ""
    if training.start_epoch:
        yield f"# On the page {training.start_epoch} epochs came before; here the order of the rows begins anew."
    yield "run = cr.train("
    yield "    net,"
    yield "    x,"
    yield "    y,"
    yield "    validation=validation,"
    yield "    initial=params,"
    yield f"    optimizer=cr.{type(plain).__name__}({rate}),"
    yield f"    epochs={training.epochs},"
    yield f"    batch_size=min({training.batch_size}, len(x)),"
    for name in ("l1", "l2", "clip_norm", "patience"):
        if getattr(training, name):
            yield f"    {name}={getattr(training, name)!r},"
    if training.loss_below is not None:
        yield f'    callbacks=[lambda run: run.history["loss"][-1] < {training.loss_below!r}],'
    yield f"    seed={training.seed},"
    yield f'    dtype="{DTYPE}",'
    yield ")"
    yield "print(run)"
    yield 'print("training loss:", run.history["loss"][-1])'
    yield 'print("weights:", [weights.tolist() for weights in run.parameters.weights])'


def _quoted(text: str) -> str:
    """Return a text as Python writes it, in double quotes where that is safe: a stranger's column stays a text."""
    return f'"{text}"' if text.isprintable() and not set('"\\') & set(text) else repr(text)
