"""The derivation of a network's gradient: what follows from what, in words, in symbols and in numbers.

Formulae are made by the text that computes: :mod:`chainrule.backpropagation` and the definitions of activations and
losses run on symbols. A chain and a small network are derived unit by unit, any other in matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal, TypeAlias

import numpy as np

from .. import backpropagation
from ..activations import Activation, JointActivation
from ..definitions import check_definitions
from ..diagnostics.trace import backprop
from ..errors import InputError, quoted, unknown_name
from ..formula import Derivative, Expression, Symbol, evaluate, expression, latex, substituted
from ..formula.definitions import as_expression
from ..formula.functions import Table, product_of, table
from ..formula.text import Notation
from ..network import Dense, Network
from ..parameters import Parameters
from . import dependencies, presentation
from .forms import factors, flat, outermost_sign, turned
from .symbols import MatrixSymbols, Symbols, UnitSymbols, key
from .words import UNROLLED, Words

Sign: TypeAlias = Literal["f-y", "y-f"]
MOST_PARAMETERS = 60
"""Networks of more parameters, but chains, are derived in matrices."""
MOST_WAYS = 1_000
"""So are networks with more ways from an input to an output: unit by unit, unrolled formulae write out each."""
MOST_LAYERS = 100
"""In matrices, each layer writes one bracket inside the other."""

_SHOWN = count(1)  # derivations in a notebook
ETA, LOSS = Symbol("η"), Symbol("ℒ")


@dataclass(frozen=True)
class Step:
    """One step of a derivation.

    Attributes
    ----------
    name : str
        What is found: "z_1", "delta_1", "delta_1 unrolled", "gradient w_1", "update w_1" and the like.
    words : str
        What the step says and why.
    left, right : Expression
        The formula: left = right; of an update, left ← right.
    numbers : Expression or None
        The right side with numbers of four digits in the place of symbols; None without a sample, and in matrices.
    result : float or array or None
        What it comes to, in full precision; None without a sample.
    """

    name: str
    words: str
    left: Expression
    right: Expression
    numbers: Expression | None = None
    result: Any = None


@dataclass(frozen=True)
class Derivation:
    """What :func:`derive` returns: the steps in order, and what can be asked of them.

    Attributes
    ----------
    network : Network
    steps : tuple of Step
    definitions : mapping from Symbol to Expression
        What holds between the symbols, as :func:`chainrule.formula.compare` takes it: z, f and δ of every layer. With
        cross entropy, targets are shares of classes, whose sum is 1: the last follows from the others.
    values : mapping from Symbol to float or array
        What the symbols are for the sample; empty without one.
    notation : {"lecture", "superscript"}
        How the derivation is written; the names of steps are the lecture's in either.
    """

    network: Network
    steps: tuple[Step, ...]
    definitions: dict[Symbol, Expression]
    values: dict[Symbol, Any]
    notation: Notation = "lecture"

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Every symbol, each once: the names that :func:`chainrule.formula.parse` takes."""
        trees = (tree for symbol, formula in self.definitions.items() for tree in (symbol, formula))
        return tuple(dict.fromkeys(part for tree in trees for part in tree.walk() if isinstance(part, Symbol)))

    def step(self, name: str) -> Step:
        """Return the step of a name, such as "delta_1" or "update w_1".

        Raises
        ------
        InputError
            When there is none of that name.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise unknown_name("step", name, [step.name for step in self.steps])

    def gradient(self, parameter: str) -> Expression:
        """Return ∂ℒ/∂ of a parameter, unrolled: "w_1", "w1" or "w₁", "b_2", "w_{1,2,3}"; in matrices "W_1".

        Raises
        ------
        InputError
            When the network has no such parameter.
        """
        symbol = as_expression(parameter)
        name = key(symbol) if isinstance(symbol, Symbol) else parameter
        return self.step(f"gradient {name} unrolled").right

    def to_text(self) -> str:
        """Return the derivation as plain text."""
        return presentation.as_text(self)

    def to_markdown(self) -> str:
        """Return it as Markdown, with formulae in LaTeX between dollar signs."""
        return presentation.as_markdown(self)

    def to_html(self, prefix: str = "") -> str:
        """Return it as a part of a page, with formulae in MathML; it needs nothing from elsewhere.

        Parameters
        ----------
        prefix : str
            What ids begin with, so that those of several derivations on a page differ.
        """
        return presentation.as_html(self, prefix)

    def to_mermaid(self) -> str:
        """Return what depends on what as a flow chart for Mermaid."""
        return dependencies.as_mermaid(self)

    def to_svg(self) -> str:
        """Return what depends on what as a drawing."""
        return dependencies.as_svg(self)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html(f"d{next(_SHOWN)}-")

    def _repr_latex_(self) -> str:
        lines = []
        for step in self.steps:
            sign = r"\leftarrow" if step.name.startswith("update") else "="
            left, right = (latex(side, self.notation) for side in (step.left, step.right))
            lines.append(rf"{left} &{sign} {right}")
        return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


def derive(
    net: Network,
    params: Parameters | None = None,
    x: Any = None,
    y: Any = None,
    *,
    matrices: bool | None = None,
    sign: Sign = "f-y",
    notation: Notation = "lecture",
) -> Derivation:
    """Derive the gradient of a network's loss for one row: definitions, loss, δ_L, the recursion, gradients, update.

    Dropout is left out, as in prediction; the title says so.

    Parameters
    ----------
    net : Network
    params : Parameters, optional
        With a sample, the numbers of every step are shown as well.
    x, y : array-like, optional
        One row, as for :func:`chainrule.backprop`.
    matrices : bool, optional
        Whether to derive in matrices; None does so for networks of more than 60 parameters, but not for chains.
    sign : {"f-y", "y-f"}
        In which form differences of f_L and y are written: 2(f_L − y) or −2(y − f_L).
    notation : {"lecture", "superscript"}
        How symbols of layers are written: f₂ and w₂, or a⁽²⁾ and w⁽²⁾.

    Raises
    ------
    InputError
        When only some of params, x and y are given, a shape does not fit, or a definition of your own cannot be
        written as a formula or does not fit.
    """
    if sign not in ("f-y", "y-f"):
        raise InputError(f"sign must be 'f-y' or 'y-f', but is {quoted(sign)}")
    if notation not in ("lecture", "superscript"):
        raise InputError(f"notation must be 'lecture' or 'superscript', but is {quoted(notation)}")
    given = [one is not None for one in (params, x, y)]
    if any(given) and not all(given):
        raise InputError("for numbers, params, x and y are all needed; for formulae alone, none of them")
    for layer in net.layers:
        if type(layer.activation).back not in (Activation.back, JointActivation.back):
            raise InputError(
                f"{layer.activation.name} overrides back(), so its derivative cannot be written in a derivation"
            )
    ways = math.prod(net.widths)  # from an input to an output, each of which unrolled formulae write out
    small = net.is_chain or (net.parameter_count <= MOST_PARAMETERS and ways <= MOST_WAYS)
    in_matrices = not small if matrices is None else matrices
    if not in_matrices and not net.is_chain and ways > MOST_WAYS:
        raise InputError(f"{ways:,} ways lead through the network, too many to write out: derive it in matrices")
    if in_matrices and len(net.layers) > MOST_LAYERS:
        raise InputError(
            f"{len(net.layers)} layers are too many to write out in matrices: at most {MOST_LAYERS}, but any chain"
        )
    symbols: Symbols = MatrixSymbols(net) if in_matrices else UnitSymbols(net)
    values: dict[Symbol, Any] = {}
    if params is not None:
        trace = backprop(net, params, x, y)
        if len(trace.y) != 1:
            raise InputError(f"a derivation is of one row, but x has {len(trace.y)}")
        values = symbols.values(trace)
    try:
        return _Deriving(net, symbols, values, sign, notation).derivation()
    except (TypeError, AttributeError, ValueError) as error:
        if isinstance(error, ValueError):  # it may be of another shape
            check_definitions(net)
        own = ", ".join(dict.fromkeys(layer.activation.name for layer in net.layers))
        raise InputError(
            f"{own} or {net.loss.name} cannot be written as a formula, only what chainrule.elementary has can: {error}"
        ) from error


class _Deriving:
    """The steps, made one after the other."""

    def __init__(
        self, net: Network, symbols: Symbols, values: dict[Symbol, Any], sign: Sign, notation: Notation
    ) -> None:
        self.net, self.s, self.values, self.sign, self.notation = net, symbols, values, sign, notation
        self.in_matrices = isinstance(symbols, MatrixSymbols)
        self.rounded = {
            symbol: expression(float(f"{number:.4g}")) for symbol, number in values.items() if np.ndim(number) == 0
        }
        self.steps: list[Step] = []
        self.definitions: dict[Symbol, Expression] = {}
        self.words = Words(net, self.in_matrices, notation)
        self.depth = len(net.layers)
        self.is_chain = net.is_chain and not self.in_matrices

    def derivation(self) -> Derivation:
        for i, layer in enumerate(self.net.layers, start=1):
            self.layer(i, layer)
        self.loss()
        unrolled = self.errors()
        self.gradients(unrolled)
        return Derivation(self.net, tuple(self.steps), self.definitions, self.values, self.notation)

    def add(self, name: str, words: str, left: Expression, right: Expression) -> None:
        numbers = result = None
        if self.values and right.symbols() <= self.values.keys():
            with np.errstate(
                all="ignore"
            ):  # what back-propagation works out in a stable way may overflow as it is written
                result = self.values[left] if left in self.values else evaluate(right, self.values)
            result = result if self.in_matrices else float(result)
            numbers = None if self.in_matrices else substituted(right, self.rounded)
        self.steps.append(Step(name, words, left, right, numbers, result))

    def define(self, symbols: Any, formulae: Any, words: Callable[[Symbol], str]) -> None:
        for symbol, formula in self.s.entries(symbols, formulae).items():
            self.definitions[symbol] = formula
            self.add(key(symbol), words(symbol), symbol, formula)

    def layer(self, i: int, layer: Dense) -> None:
        s = self.s
        alone = Network(self.net.widths[i - 1], [Dense(layer.units, layer.activation, layer.bias)], _ANY_LOSS)
        params = Parameters(s.params.weights[i - 1 : i], s.params.biases[i - 1 : i])
        z, _ = backpropagation.forward(alone, params, s.f[i - 1])
        self.define(s.z[i], z[1], self.words.weighted_input)
        self.define(s.f[i], layer.activation.value(s.z[i]), self.words.activation)

    def loss(self) -> None:
        of_rows = backpropagation.losses(self.net, self.s.y, self.s.z, self.s.f)
        self.add("loss", self.words.loss(), LOSS, of_rows if isinstance(of_rows, Expression) else of_rows[0])

    def errors(self) -> dict[int, Any]:
        """Derive δ of every layer; return all of them unrolled."""
        s, last = self.s, self.depth
        delta = backpropagation.deltas(self.net, s.params, s.y, s.z, s.f)
        if self.net.loss.targets_are_classes and not self.in_matrices and self.targets_sum_to_1():
            *others, last_target = s.entries(s.y, s.y)
            self.definitions[last_target] = 1 - sum(others[1:], start=others[0])
        self.define(s.delta[last], self.turned(delta[last]), self.words.last_error)
        unrolled = {last: self.turned(self.in_order(last) if self.is_chain else delta[last])}
        for i in range(last - 1, 0, -1):
            previous = backpropagation.previous_delta(self.net, s.params, i, s.delta[i + 1], s.z, s.f)
            self.define(s.delta[i], previous, self.words.error)
            unrolled[i] = self.turned(self.in_order(i) if self.is_chain else delta[i])
            for symbol, formula in s.entries(s.delta[i], unrolled[i]).items():
                self.add(f"{key(symbol)} unrolled", UNROLLED, symbol, formula)
        return unrolled

    def targets_sum_to_1(self) -> bool:
        """Tell whether the targets are shares of several classes, as they are unless a sample shows otherwise."""
        total = sum(self.values.get(symbol, np.nan) for symbol in self.s.entries(self.s.y, self.s.y))
        return self.net.outputs > 1 and (not self.values or bool(np.isclose(total, 1.0)))

    def in_order(self, i: int) -> Table:
        """Return δᵢ of a chain as the lecture writes it: slopes, weights, and the slope of the loss."""
        s, layers = self.s, self.net.layers
        linked = self.net.loss.linked(layers[-1].activation.name)
        slopes = [layers[k - 1].activation.slope(s.z[k], s.f[k]).item() for k in range(i, self.depth + (not linked))]
        weights = [s.params.weights[k - 1].item() for k in range(i + 1, self.depth + 1)]
        end = backpropagation.output_slope(self.net, s.y, s.z, s.f)
        return table([[product_of([*slopes, *weights, *factors(end.item())])]])

    def gradients(self, unrolled: dict[int, Any]) -> None:
        s = self.s
        gradient = backpropagation.gradients(self.net, s.f, s.delta, s.ones)
        formulae: dict[Symbol, Expression] = {}
        for w, b, of_w, of_b in zip(s.params.weights, s.params.biases, gradient.weights, gradient.biases, strict=True):
            formulae |= s.entries(w, of_w) | ({} if b is None else s.entries(b, of_b))
        errors = {
            symbol: formula
            for i, written in unrolled.items()
            for symbol, formula in s.entries(s.delta[i], written).items()
        }
        for symbol, formula in formulae.items():
            name, left = f"gradient {key(symbol)}", Derivative(LOSS, symbol)
            self.add(name, self.words.gradient(symbol, formula), left, formula)
            self.add(f"{name} unrolled", UNROLLED, left, outermost_sign(flat(substituted(formula, errors))))
        for symbol in formulae:
            self.add(f"update {key(symbol)}", self.words.update(), symbol, symbol - ETA * Derivative(LOSS, symbol))

    def turned(self, formulae: Any) -> Any:
        """Return formulae with differences of f_L and y in the form that is asked for."""
        if self.sign == "f-y":
            return formulae
        outputs, targets = set(self.s.entries(self.s.f[-1], self.s.f[-1])), set(self.s.entries(self.s.y, self.s.y))
        if isinstance(formulae, Expression):
            return turned(formulae, outputs, targets)
        return table([[turned(formula, outputs, targets) for formula in row] for row in formulae])


_ANY_LOSS = "squared_error"  # of a layer by itself, whose loss is not asked for
