"""Which families of problems are about a network, and what they have to be told to be about it."""

from __future__ import annotations

from typing import Any

from ..lessons import FAMILIES
from ..lessons.catalogue import Family
from ..network import Network

_UNTOLD = {"loss": "squared_error", "bias": False}  # of chains, where a family takes no other


def matching(net: Network, sign: str) -> dict[str, dict[str, Any]]:
    """Return the families that are about a network, each with the parameters that make its problems be about this one.

    Parameters
    ----------
    net : Network
    sign : {"f-y", "y-f"}
        For families that take it.
    """
    found = {name: _told(family, net) for name, family in FAMILIES.items()}
    return {
        name: {**told, "sign": sign} if "sign" in FAMILIES[name].parameters else told
        for name, told in found.items()
        if told is not None
    }


def _told(family: Family, net: Network) -> dict[str, Any] | None:
    """Return what a family has to be told; None where it is not about such a network."""
    activations = [layer.activation for layer in net.layers]
    names = list(dict.fromkeys(one.name for one in activations))
    biases = {layer.bias for layer in net.layers}
    chain = net.is_chain
    facts: dict[str, Any]
    if "length" in family.parameters:
        if not chain or len(names) > 1 or len(biases) > 1:
            return None
        facts = {"length": len(net.layers), "activation": names[0], "loss": net.loss.name, "bias": True in biases}
        for name, value in {**_UNTOLD, "bias": family.name == "bias gradient"}.items():
            if name not in family.parameters and facts.pop(name) != value:
                return None
    elif family.name == "several units":
        if net.inputs > 1 or len(net.layers) != 2 or len(names) > 1 or True in biases:
            return None
        facts = {"hidden": net.widths[1], "units": net.widths[2], "activation": names[0]}
    elif family.name == "softmax":
        if not net.loss.targets_are_classes:
            return None
        facts = {"classes": net.outputs}
    elif family.name == "saturation":
        facts = {"activation": names[0]}
    elif family.name == "kink":
        slopes = {"relu": 0.0, **{one.name: slope for one in activations for _, slope in one.parameters}}
        facts = {"negative_slope": next((slopes[name] for name in names if name in ("relu", "leaky_relu")), None)}
    elif family.name == "matrix form":
        return None if chain else {}
    else:
        return None
    fits = all(value in family.parameters[name].values for name, value in facts.items())
    return facts if fits else None
