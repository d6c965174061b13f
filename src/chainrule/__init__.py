"""chainrule: neural networks whose back-propagation you can read, derive, check, see and run.

>>> import chainrule as cr
>>> net = cr.chain(3, activation="tanh")
>>> trace = cr.backprop(net, net.initial(seed=0), x=0.5, y=0.8)

Everything public is listed here. Names are imported when first used, so that ``import chainrule`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import activations, formula, initializers, lessons, losses, optimizers, schedules
    from .activations import Activation
    from .derivation import Derivation, derive
    from .diagnostics.trace import Trace, backprop
    from .diagnostics.verify import Verification, verify
    from .errors import ChainruleError, DivergenceError, InputError
    from .estimators import GridSearch, MLPClassifier, MLPEnsembleClassifier, MLPEnsembleRegressor, MLPRegressor
    from .initializers import Initializer
    from .losses import Loss
    from .model import Model, load
    from .network import Dense, Network, chain
    from .optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, RMSProp, Rprop
    from .parameters import Parameters
    from .training import History, Run, resume, train, train_many

# Where each public name lives; "" marks a module that is public itself.
_HOMES = {
    "activations": "",
    "formula": "",
    "initializers": "",
    "lessons": "",
    "losses": "",
    "optimizers": "",
    "schedules": "",
    "Activation": "activations",
    "Adagrad": "optimizers",
    "Adam": "optimizers",
    "AdamW": "optimizers",
    "ChainruleError": "errors",
    "Dense": "network",
    "Derivation": "derivation",
    "DivergenceError": "errors",
    "GridSearch": "estimators",
    "History": "training",
    "Initializer": "initializers",
    "InputError": "errors",
    "LBFGS": "optimizers",
    "Loss": "losses",
    "MLPClassifier": "estimators",
    "MLPEnsembleClassifier": "estimators",
    "MLPEnsembleRegressor": "estimators",
    "MLPRegressor": "estimators",
    "Model": "model",
    "Network": "network",
    "Parameters": "parameters",
    "RMSProp": "optimizers",
    "Rprop": "optimizers",
    "Run": "training",
    "SGD": "optimizers",
    "Trace": "diagnostics.trace",
    "Verification": "diagnostics.verify",
    "backprop": "diagnostics.trace",
    "chain": "network",
    "derive": "derivation",
    "load": "model",
    "resume": "training",
    "train": "training",
    "train_many": "training",
    "verify": "diagnostics.verify",
}

__all__ = [
    "LBFGS",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "ChainruleError",
    "Dense",
    "Derivation",
    "DivergenceError",
    "GridSearch",
    "History",
    "Initializer",
    "InputError",
    "Loss",
    "MLPClassifier",
    "MLPEnsembleClassifier",
    "MLPEnsembleRegressor",
    "MLPRegressor",
    "Model",
    "Network",
    "Parameters",
    "RMSProp",
    "Rprop",
    "Run",
    "Trace",
    "Verification",
    "activations",
    "backprop",
    "chain",
    "derive",
    "formula",
    "initializers",
    "lessons",
    "load",
    "losses",
    "optimizers",
    "resume",
    "schedules",
    "train",
    "train_many",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    home = import_module(f"chainrule.{_HOMES[name] or name}")
    value = getattr(home, name) if _HOMES[name] else home
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
