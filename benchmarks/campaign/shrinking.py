"""Makes a case smaller while it still fails, and writes it down as a snippet of Python."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np

import chainrule as cr
from campaign.drawing import Case, Layer

_MOST_NUMBERS = 3000  # that a snippet lists

_LAID_OUT = {
    "fortran": "np.asfortranarray({0})",
    "every second column": "np.repeat({0}, 2, axis=-1)[..., ::2]",
    "every second row": "np.repeat({0}, 2, axis=0)[::2]",
    "reversed": "{0}[::-1].copy()[::-1]",
    "unaligned": "np.frombuffer(b'-' + {0}.tobytes(), {0}.dtype, offset=1).reshape({0}.shape)",
    "byte-swapped": "{0}.astype({0}.dtype.newbyteorder())",
    "list": "{0}.tolist()",
    "longdouble": "{0}.astype(np.longdouble)",
    "float16": "{0}.astype(np.float16)",
    "int32": "np.rint({0}).astype(np.int32)",
}


def shrunk(case: Case, fails: Callable[[Case], bool], seconds: float = 20.0) -> Case:
    """Return a case that fails like the given one and is as small as it can be made within a time."""
    end = time.monotonic() + seconds
    progress = True
    while progress:
        progress = False
        for smaller in _smaller(case):
            if time.monotonic() > end:
                return case
            if _still(fails, smaller):
                case, progress = smaller, True
                break
    return case


def _still(fails: Callable[[Case], bool], case: Case) -> bool:
    try:
        return bool(case.network) and fails(case)
    except cr.InputError:
        return False  # there is no such network


def _smaller(case: Case) -> Iterator[Case]:
    """Yield cases that are simpler in one thing, the greatest steps first."""
    for field in fields(Case):
        value, default = getattr(case, field.name), field.default
        if field.name in ("kind", "seed", "isa", "batch_size", "rows", "inputs", "layers", "loss", "epochs"):
            continue
        if value != default:
            yield _changed(case, field.name, default)
    for i in range(len(case.layers) - 1):
        yield replace(case, layers=case.layers[:i] + case.layers[i + 1 :])
    for name in ("rows", "epochs", "inputs", "batch_size"):
        for number in _smaller_numbers(getattr(case, name)):
            changed = _changed(case, name, number)
            yield replace(changed, batch_size=min(changed.batch_size, changed.rows))
    for i, layer in enumerate(case.layers):
        for simpler in _simpler_layers(layer):
            yield replace(case, layers=(*case.layers[:i], simpler, *case.layers[i + 1 :]))


def _changed(case: Case, name: str, value: Any) -> Case:
    return replace(case, **{name: value})


def _smaller_numbers(number: int) -> list[int]:
    return sorted({1, number // 4, number // 2, number - 1} - {0, number})


def _simpler_layers(layer: Layer) -> Iterator[Layer]:
    for units in _smaller_numbers(layer.units):
        yield replace(layer, units=units)
    if layer.dropout:
        yield replace(layer, dropout=0.0)
    if layer.bias:
        yield replace(layer, bias=False)
    if layer.activation not in ("identity", "softmax"):
        yield replace(layer, activation="identity")


def snippet(case: Case) -> str:
    """Return Python that shows what the engines make of a case; of a large one, how to replay it."""
    x, y, weights, theta = case.x(), case.y(), case.sample_weight(), case.initial()
    if x.size + y.size + theta.size > _MOST_NUMBERS or case.kind == "estimator":
        return f"python benchmarks/conformance.py --case '{case.to_json()}'"
    layers = ", ".join(
        f"cr.Dense({one.units}, {one.activation!r}, bias={one.bias}, dropout={one.dropout})" for one in case.layers
    )
    lines = [
        "import os",
        f'os.environ["CHAINRULE_ISA"] = {case.isa!r}  # extension.instruction_sets() lists those of this machine',
        "import numpy as np",
        "import chainrule as cr",
        "from chainrule.engines import reference",
        f"net = cr.Network({case.inputs}, [{layers}], {case.loss!r})",
        f"params = net.parameters({_literal(theta)})",
        f"x = {_literal(x)}",
    ]
    if case.layout in _LAID_OUT:
        lines.append(f"x = {_LAID_OUT[case.layout].format('x')}")
    if case.kind == "predict":
        lines += [
            "model = cr.Model(net, params)",
            "print('all rows at once', model.predict(x))",
            "print('row by row', np.concatenate([model.predict(x[i : i + 1]) for i in range(len(x))]))",
            f"print('reference engine', reference.predict(net, params, np.array(x, {case.dtype!r})))",
        ]
        return "\n".join(lines)
    settings = {"dtype": case.dtype, "threads": case.threads, **case.settings}
    given = ", ".join(["engine=engine", *(f"{name}={value!r}" for name, value in settings.items())])
    weighed = "" if weights is None else f", sample_weight={_literal(weights)}"
    lines += [
        f"y = {_literal(y)}",
        "for engine in ('reference', 'native'):",
        "    try:",
        f"        run = cr.train(net, x, y, initial=params, {given}{weighed})",
        "        print(engine, run.stopped, run.parameters.vector, run.history['loss'])",
        "    except cr.DivergenceError as error:",
        "        print(engine, error)",
    ]
    return "\n".join(lines)


def _literal(array: Any) -> str:
    """Return an array as Python, with every digit."""
    values = np.array2string(
        array, separator=", ", threshold=array.size + 1, max_line_width=10**9, floatmode="unique"
    ).replace("\n", "")
    return f"np.array({values}, {str(array.dtype)!r})"
