"""Optimisers: how a gradient g moves the parameters θ, with the learning rate η.

Each is plain data with two functions. ``start`` returns what it remembers between steps, as a dictionary of
vectors shaped like θ; ``update`` returns the new θ and the new memory, and changes nothing in place. Steps
count from 1.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias

import numpy as np

from .elementary import Array, namespace, sign
from .errors import InputError
from .named import JSON, Catalogue, keep, number, whole

Memory: TypeAlias = dict[str, Array]


@dataclass(frozen=True)
class Optimizer:
    """The base of all optimisers.

    Parameters
    ----------
    learning_rate : float
        η, above 0. A schedule multiplies it.
    """

    name: ClassVar[str]
    remembers: ClassVar[tuple[str, ...]] = ()
    is_full_batch: ClassVar[bool] = False  # whether a step takes all rows, and is an epoch
    has_learning_rate: ClassVar[bool] = True

    learning_rate: float = 0.01

    def __post_init__(self) -> None:
        # NumPy's scalars have a dtype of their own, in which a float32 run must not go on.
        scalars = {f.name: getattr(self, f.name) for f in fields(self)}
        keep(self, **{name: value.item() for name, value in scalars.items() if isinstance(value, np.generic)})
        keep(self, learning_rate=number("learning_rate", self.learning_rate, 0.0, above=True))

    def start(self, theta: Array) -> Memory:
        """Return the memory before the first step: zeros."""
        return {name: 0.0 * theta for name in self.remembers}  # noqa: C420 - each its own, as an engine may write into it

    def update(self, theta: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        """Return θ and the memory after one step.

        Parameters
        ----------
        theta, g : array, shape (number of parameters,)
            The parameters and the gradient.
        memory : dict of array
            What the step before returned.
        rate : float
            The learning rate of this step.
        step : int
            Which step this is, from 1.

        Returns
        -------
        theta : array, shape (number of parameters,)
        memory : dict of array
            With the keys that :meth:`start` returns; all arrays have the shape and dtype of theta.
        """
        raise NotImplementedError

    def to_json(self) -> JSON:
        """Return the name and the settings."""
        return {"name": self.name, **{f.name: getattr(self, f.name) for f in fields(self)}}


@dataclass(frozen=True)
class SGD(Optimizer):
    """θ ← θ − η g; with momentum, v ← μ v − η g and θ ← θ + v; Nesterov looks ahead (Sutskever et al. 2013).

    Parameters
    ----------
    momentum : float
        μ in [0, 1].
    nesterov : bool
        θ ← θ + μ v − η g, after v is renewed.
    """

    name = "sgd"

    momentum: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, momentum=number("momentum", self.momentum, 0.0, 1.0))
        if self.nesterov and not self.momentum:
            raise InputError("nesterov needs a momentum above 0")

    def start(self, theta: Array) -> Memory:
        return {"velocity": 0.0 * theta} if self.momentum else {}

    def update(self, theta: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        if not self.momentum:
            return theta - rate * g, {}
        velocity = self.momentum * memory["velocity"] - rate * g
        move = self.momentum * velocity - rate * g if self.nesterov else velocity
        return theta + move, {"velocity": velocity}


@dataclass(frozen=True)
class Adam(Optimizer):
    """θ ← θ − η m̂ / (√v̂ + ε), with running means m of g and v of g² (Kingma and Ba 2015).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) at step t.

    Parameters
    ----------
    epsilon_hat : bool
        Whether ε is the ε̂ of the paper's quicker form, θ ← θ − η √(1 − β₂ᵗ) m̂ / (√v + ε̂), as in scikit-learn.
    """

    name = "adam"
    remembers = ("mean", "square")

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    epsilon_hat: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, beta1=number("beta1", self.beta1, 0.0, 1.0, below=True))
        keep(self, beta2=number("beta2", self.beta2, 0.0, 1.0, below=True))
        keep(self, epsilon=number("epsilon", self.epsilon, 0.0, above=True))

    def update(self, theta: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        mean = self.beta1 * memory["mean"] + (1.0 - self.beta1) * g
        square = self.beta2 * memory["square"] + (1.0 - self.beta2) * g**2
        unbiased_mean = mean / (1.0 - self.beta1**step)
        unbiased_square = square / (1.0 - self.beta2**step)
        epsilon = self.epsilon / (1.0 - self.beta2**step) ** 0.5 if self.epsilon_hat else self.epsilon
        move = rate * unbiased_mean / (unbiased_square**0.5 + epsilon)
        return theta - move, {"mean": mean, "square": square}


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam after θ ← θ − η λ θ: weight decay apart from the gradient (Loshchilov and Hutter 2019).

    Parameters
    ----------
    weight_decay : float
        λ, on weights and biases alike.
    """

    name = "adamw"

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, weight_decay=number("weight_decay", self.weight_decay, 0.0))

    def update(self, theta: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        return super().update(theta - rate * self.weight_decay * theta, g, memory, rate, step)


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """θ ← θ − η g / (√v + ε), with the running mean v ← ρ v + (1 − ρ) g² (Tieleman and Hinton 2012).

    Parameters
    ----------
    decay : float
        ρ in [0, 1).
    """

    name = "rmsprop"
    remembers = ("square",)

    learning_rate: float = 0.001
    decay: float = 0.9
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, decay=number("decay", self.decay, 0.0, 1.0, below=True))
        keep(self, epsilon=number("epsilon", self.epsilon, 0.0, above=True))

    def update(self, theta: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        square = self.decay * memory["square"] + (1.0 - self.decay) * g**2
        return theta - rate * g / (square**0.5 + self.epsilon), {"square": square}


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """θ ← θ − η g / (√s + ε), with the sum s ← s + g² (Duchi et al. 2011)."""

    name = "adagrad"
    remembers = ("square",)

    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, epsilon=number("epsilon", self.epsilon, 0.0, above=True))

    def update(self, theta: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        square = memory["square"] + g**2
        return theta - rate * g / (square**0.5 + self.epsilon), {"square": square}


@dataclass(frozen=True)
class Rprop(Optimizer):
    """θ ← θ − η Δ sign g, each parameter with a step of its own (Riedmiller and Braun 1993; iRprop⁻, Igel 2000).

    Δ, 1 at first, grows by `grow` while the sign of g stays, shrinks by `shrink` when it changes (and that
    parameter then rests for a step); it stays within [1e-6, 1e3]. Made for full batches: use
    ``batch_size=len(X)``.
    """

    name = "rprop"
    remembers = ("gradient", "size")

    grow: float = 1.2
    shrink: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, grow=number("grow", self.grow, 1.0, above=True))
        keep(self, shrink=number("shrink", self.shrink, 0.0, 1.0, above=True, below=True))

    def start(self, theta: Array) -> Memory:
        return {"gradient": 0.0 * theta, "size": 0.0 * theta + 1.0}

    def update(self, theta: Array, g: Array, memory: Memory, rate: float, step: int) -> tuple[Array, Memory]:
        xp = namespace(g)
        agreement = sign(g) * sign(memory["gradient"])
        size = memory["size"] * xp.where(agreement > 0.0, self.grow, xp.where(agreement < 0.0, self.shrink, 1.0))
        size = xp.astype(xp.clip(size, 1e-6, 1e3), theta.dtype)
        g = xp.where(agreement < 0.0, 0.0 * g, g)
        return theta - rate * size * sign(g), {"gradient": g, "size": size}


@dataclass(frozen=True)
class LBFGS(Optimizer):
    """Limited-memory BFGS with line search, by SciPy (Liu and Nocedal 1989): full batch, one iteration an epoch.

    The line search finds the step, so there is no learning rate.

    Parameters
    ----------
    history : int
        How many steps the curvature is estimated from, at most 1000.
    tolerance : float
        The run ends when no part of the gradient is larger.
    relative_tolerance : float
        The run ends when an iteration lowers the objective by a smaller part of it.
    evaluations : int
        How often the objective may be evaluated.
    """

    name = "lbfgs"
    is_full_batch = True
    has_learning_rate = False

    learning_rate: float = 1.0
    history: int = 10
    tolerance: float = 1e-6
    relative_tolerance: float = 0.0
    evaluations: int = 2**31 - 1

    def __post_init__(self) -> None:
        if self.learning_rate != 1.0:
            raise InputError("lbfgs has no learning rate: its line search finds the step")
        keep(self, history=whole("history", self.history, 1, 1000))
        keep(self, tolerance=number("tolerance", self.tolerance, 0.0))
        keep(self, relative_tolerance=number("relative_tolerance", self.relative_tolerance, 0.0))
        keep(self, evaluations=whole("evaluations", self.evaluations, 1, 2**31 - 1))


OPTIMIZERS = Catalogue(
    "optimizer", Optimizer, {kind.name: kind for kind in (SGD, Adam, AdamW, RMSProp, Adagrad, Rprop, LBFGS)}
)
"""Every optimiser by its name."""
