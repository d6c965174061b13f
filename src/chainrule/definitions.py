"""Definitions of your own: what they must return, and the values by which a file recognises them.

A file stores the name and the parameters of a definition, but not its code. So it also stores *probes*: what the
functions return at a few fixed points. They tell whether the definitions in ``own=`` are those of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .activations import ACTIVATIONS, Activation
from .errors import InputError
from .initializers import INITIALIZERS
from .losses import LOSSES, Loss
from .named import JSON, Definition, Own, call_for_array, definitions, fields, json_form
from .network import Network

Floats = NDArray[np.floating]

# fmt: off
POINTS = np.array([
    0.7, -0.3, 2.5, -7.0, 0.0, -1.0, 40.0, 0.2, -2.5, 6.5, 12.0, -40.0, 1.5, 0.01, -0.05, 0.1, -0.6, 100.0, -0.01, 4.0,
    -15.0, 0.001, -0.1, 0.4, -1.5, -4.5, 0.05, -0.001, -100.0,
])
# fmt: on
"""The values of z at which functions are probed: near and far from 0, on both sides of it."""
_CHECK_POINTS = (0.5, -0.25)  # the values of z at which they are checked
_CHECK_ROWS = (2, 3, 1)  # and in how many rows, since a batch may have any number

# Machines round differently, and a function may compute in float32.
_RELATIVE, _ABSOLUTE = 1e-5, 1e-8
_MOST_NUMBERS = 4096  # in an array of points, unless a single row has more


def check_definitions(net: Network) -> None:
    """Check that a network's own definitions can be called, and return NumPy arrays of the right shapes.

    Raises
    ------
    InputError
        When one cannot or does not: the message names the definition and the function, and says what was expected.
    """
    for i, layer in enumerate(net.layers, start=1):
        if not ACTIVATIONS.made(layer.activation):
            for rows in _CHECK_ROWS:
                z = np.resize(_CHECK_POINTS, (rows, layer.units))
                _check_activation(f"activation {layer.activation.name!r} of layer {i}", layer.activation, z)
    if not LOSSES.made(net.loss):
        for rows in _CHECK_ROWS:
            z = np.resize(_CHECK_POINTS, (rows, net.outputs))
            _check_loss(f"loss {net.loss.name!r}", net.loss, net.layers[-1].activation, z)


def _check_activation(what: str, activation: Activation, z: Floats) -> None:
    f = call_for_array(f"{what}: value(z)", activation.value, [z], z.shape)
    call_for_array(f"{what}: slope(z, f)", activation.slope, [z, f], z.shape)
    if _overrides_back(activation):
        call_for_array(f"{what}: back(slope_of_loss, z, f)", activation.back, [np.ones_like(z), z, f], z.shape)


def _check_loss(what: str, loss: Loss, output: Activation, z: Floats) -> None:
    with np.errstate(all="ignore"):
        f = output.value(z)
    y = np.clip(np.tile(np.eye(1, z.shape[1]), (len(z), 1)), *loss.targets)  # one-hot
    call_for_array(f"{what}: value(y, f)", loss.value, [y, f], z.shape)
    call_for_array(f"{what}: slope(y, f)", loss.slope, [y, f], z.shape)
    if link := loss.linked(output.name):
        call_for_array(f"{what}: value(y, z) of its link", link.value, [y, z], z.shape)
        call_for_array(f"{what}: delta(y, z, f) of its link", link.delta, [y, z, f], z.shape)


@dataclass(frozen=True)
class Probe:
    """A definition of your own, and the values that tell it from others of its name.

    Attributes
    ----------
    kind : str
        "activation", "optimizer" and so on.
    definition : Definition
    compute : callable
        Returns the arrays that its functions return at fixed points.
    units : int
        The width of the layer, 0 where there is none.
    """

    kind: str
    definition: Definition
    compute: Callable[[], Iterable[Any]]
    units: int = 0

    @property
    def values(self) -> list[float | None]:
        """Twice as many numbers of each array as there are points, or all; None for one that is not finite."""
        try:
            with np.errstate(all="ignore"):
                arrays = [np.asarray(array, dtype=np.float64).ravel() for array in self.compute()]
        except Exception:
            arrays = [np.array([np.nan])]
        count = len(POINTS)
        some = [number for array in arrays for number in (*array[:count], *array[count:][-count:])]
        return [float(number) if np.isfinite(number) else None for number in some]

    def record(self) -> JSON:
        """Return it as a file holds it.

        Raises
        ------
        InputError
            When it cannot be stored.
        """
        form = json_form(self.kind, self.definition)
        parameters = {} if isinstance(form, str) else {key: value for key, value in form.items() if key != "name"}
        return {
            "kind": self.kind,
            "name": self.definition.name,
            "parameters": parameters,
            "units": self.units,
            "values": self.values,
        }


def arrays_at(at: Callable[[Any], Iterable[Any]], points: Iterable[Any]) -> Iterator[Any]:
    """Yield the arrays that a function returns at each of several points; NaN stands for those that it fails to."""
    for point in points:
        try:
            yield from at(point)
        except Exception:
            yield np.nan


def probes_of(net: Network) -> Iterator[Probe]:
    """Yield a probe for each of a network's own definitions."""
    for layer in net.layers:
        if not ACTIVATIONS.made(layer.activation):
            at = partial(_activation_at, layer.activation)
            yield Probe("activation", layer.activation, partial(_at_points, at, layer.units), layer.units)
        if not INITIALIZERS.made(layer.initializer):
            yield Probe("initializer", layer.initializer, tuple)
    if not LOSSES.made(net.loss):
        yield Probe("loss", net.loss, partial(_loss_values, net), net.outputs)


def probes(net: Network) -> list[JSON]:
    """Return a record of each of a network's own definitions, as a file holds it.

    Raises
    ------
    InputError
        When a definition cannot be stored, or two different ones have the same name and parameters.
    """
    records: list[JSON] = []
    for probe in probes_of(net):
        new = probe.record()
        known = next((one for one in records if _key(one) == _key(new)), None)
        if known is None:
            records.append(new)
        elif not _agree(known["values"], new["values"]):
            raise InputError(f"two different definitions are called {new['name']!r}: give each a name of its own")
    return records


def check_handed_in(records: JSON, own: Own | None) -> None:
    """Check that all definitions that a file needs are passed.

    Parameters
    ----------
    records : JSON
        As :func:`probes` made them, from a file that may come from a stranger.
    own : definition or iterable of definitions, or None
        None where nobody can pass any, as on the command line.

    Raises
    ------
    InputError
        When some are missing; the message lists all that are needed.
    """
    if not isinstance(records, list):
        raise InputError("the records of your own definitions must be a list")
    for one in records:
        kind, name, *_ = fields("the record of a definition", one, ("kind", "name", "parameters", "units", "values"))
        if not isinstance(kind, str) or not isinstance(name, str):
            raise InputError("the record of a definition must have a kind and a name")
    known = {thing.name for thing in definitions(() if own is None else own)}
    missing = dict.fromkeys((one["kind"], one["name"]) for one in records if one["name"] not in known)
    if missing:
        what = " and ".join(f"{kind} {name!r:.80}" for kind, name in missing)
        needed = ", ".join(dict.fromkeys(f"{one['name']:.80}" for one in records))
        in_python = "a model with definitions of your own can only be used in Python, by chainrule.load"
        advice = in_python if own is None else f"pass your definitions as own=[{needed}]"
        raise InputError(f"unknown {what}, not one of chainrule's: {advice}")


def check_probes(records: JSON, current: Sequence[JSON]) -> None:
    """Check that definitions return what the file says that they returned, up to rounding.

    Parameters
    ----------
    records : JSON
        Those of the file, after :func:`check_handed_in`.
    current : sequence of JSON
        Those of the definitions that were passed.

    Raises
    ------
    InputError
        When a definition is another function than that of the file.
    """
    by_key = {_key(one): one["values"] for one in current}
    for one in records:
        if not _agree(one["values"], by_key.get(_key(one), [])):
            raise InputError(
                f"the {one['kind']} {one['name']!r:.80} in own= is a different function from that of the file: "
                "it returns different values; pass the definition that the network was trained with"
            )


def changed(before: Network, now: Network) -> str | None:
    """Return the name of a definition of one network that is a different function in the other, if there is one."""
    by_key = {_key(one): one["values"] for one in probes(now)}
    return next(
        (one["name"] for one in probes(before) if not _agree(one["values"], by_key.get(_key(one), []))),
        None,
    )


def _activation_at(activation: Activation, z: Floats) -> Iterator[Floats]:
    f = activation.value(z)
    yield f
    yield activation.slope(z, f)
    if _overrides_back(activation):
        yield activation.back(np.ones_like(z) + 0.1 * z, z, f)


def _loss_values(net: Network) -> list[Any]:
    """Return what the loss of a row is divided by, and the arrays that the functions of the loss return."""
    at = partial(_loss_at, net.loss, net.layers[-1].activation)
    return [net.loss_divisor, *_at_points(at, net.outputs)]


def _loss_at(loss: Loss, output: Activation, z: Floats) -> Iterator[Floats]:
    f, link = output.value(z), loss.linked(output.name)
    for targets in (0.3 * z[::-1, ::-1], f + 0.1 * z):  # the second are as near to f as z is to 0
        y = np.clip(targets, *loss.targets)
        yield loss.value(y, f)
        yield loss.slope(y, f)
        if link:
            yield link.value(y, z)
            yield link.delta(y, z, f)


def _at_points(at: Callable[[Floats], Iterator[Floats]], units: int) -> list[Floats]:
    """Return the arrays that functions return for all points at once, or for each alone where they refuse some."""
    try:
        return [*at(np.resize(POINTS, (max(1, min(len(POINTS), _MOST_NUMBERS // units)), units)))]
    except Exception:
        return [*arrays_at(at, (np.full((1, units), point) for point in (*POINTS, *_CHECK_POINTS)))]


def _overrides_back(activation: Activation) -> bool:
    return type(activation).back is not Activation.back


def _key(one: JSON) -> tuple[Any, ...]:
    parameters = one["parameters"]
    shown = sorted(parameters.items()) if isinstance(parameters, dict) else parameters
    return one["kind"], one["name"], str(shown), str(one["units"])


def _agree(stored: JSON, current: Sequence[float | None]) -> bool:
    """Tell whether values are equal up to rounding; None stands for one that is not finite."""
    try:
        one, other = (np.array(values, dtype=np.float64) for values in (stored, current))
    except (TypeError, ValueError) as error:
        raise InputError("the stored values of a definition must be numbers") from error
    return one.shape == other.shape and np.allclose(one, other, _RELATIVE, _ABSOLUTE, equal_nan=True)
