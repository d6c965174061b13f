"""``chainrule derive``: the gradient of a network, derived step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ..errors import InputError, unknown_name
from .options import check_can_be_written, layer_widths, number_list, refuse

if TYPE_CHECKING:
    from ..network import Network
    from ..parameters import Parameters

_METHODS = {"text": "to_text", "markdown": "to_markdown", "html": "to_html", "mermaid": "to_mermaid"}
_HTML_HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Derivation</title>'


def derive(
    model: Annotated[
        Path | None, typer.Argument(help="A model's file; without it, the network of the options.", show_default=False)
    ] = None,
    chain: Annotated[
        int | None, typer.Option(help="A chain of this many layers of one unit, without biases.", show_default="2")
    ] = None,
    widths: Annotated[
        str | None, typer.Option(help="Units of each layer, the inputs first, as in 2,3,1.", show_default=False)
    ] = None,
    activation: Annotated[
        str | None, typer.Option(help="Activation of the hidden layers; of a chain, of all.", show_default="tanh")
    ] = None,
    output_activation: Annotated[
        str | None, typer.Option(help="Activation of the output.", show_default="the loss's own")
    ] = None,
    loss: Annotated[str | None, typer.Option(help="The loss.", show_default="squared_error")] = None,
    bias: Annotated[bool, typer.Option("--bias", help="Give a chain biases.")] = False,
    x: Annotated[
        str | None, typer.Option(help="A row of inputs, as in 0.5,1: shows numbers.", show_default=False)
    ] = None,
    y: Annotated[str | None, typer.Option(help="Its target, a number for each output.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Draws the parameters for the numbers.")] = 0,
    sign: Annotated[str, typer.Option(help="Write 2(f−y) or −2(y−f): f-y or y-f.")] = "f-y",
    notation: Annotated[
        str, typer.Option(help="Write f₂ and w₂, or a⁽²⁾ and w⁽²⁾: lecture or superscript.")
    ] = "lecture",
    matrices: Annotated[
        bool, typer.Option("--matrices", help="Derive in matrices, however small the network is.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", help="text, markdown (with LaTeX), html, or mermaid (what depends on what).")
    ] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file to write to.", show_default="the terminal")
    ] = None,
) -> None:
    """Derive the gradient of a network, step by step."""
    # Imported here, since they take longer to load than --help should take to answer.
    from ..derivation import derive as derive_network
    from ..files import write_atomically

    if form not in _METHODS:
        raise unknown_name("format", form, _METHODS)
    if output is not None:
        check_can_be_written(output)
    if sum(source is not None for source in (model, chain, widths)) > 1:
        raise InputError("a model's file, --chain and --widths each name a network: give one of them")
    if (x is None) != (y is None):
        raise InputError("for numbers, --x and --y are both needed")
    options = {"--activation": activation, "--output-activation": output_activation, "--loss": loss, "--bias": bias}
    net, params = _network_and_parameters(model, chain, widths, options, seed)
    sample = {} if x is None or y is None else {"params": params} | _sample(x, y)
    derivation = derive_network(
        net, **sample, matrices=matrices or None, sign=cast(Any, sign), notation=cast(Any, notation)
    )
    document = getattr(derivation, _METHODS[form])()
    if output is None:
        print(document)
    else:
        page = f"{_HTML_HEAD}{document}</html>" if form == "html" else f"{document}\n"
        write_atomically(output, page.encode())


def _network_and_parameters(
    model: Path | None, chain: int | None, widths: str | None, options: dict[str, Any], seed: int
) -> tuple[Network, Parameters]:
    """Return the network of a model's file with its parameters, or that of the options with initial ones."""
    from ..model import load

    if model is not None:
        refuse(options, "a model's file")
        loaded = load(model, own=None)
        return loaded.network, loaded.parameters
    net = _network(chain, widths, options)
    return net, net.initial(seed)


def _network(chain: int | None, widths: str | None, options: dict[str, Any]) -> Network:
    """Return the network that the options describe: a chain, or layers of the given widths."""
    from ..losses import LOSSES
    from ..network import Dense, Network
    from ..network import chain as chain_of

    activation, loss = options["--activation"] or "tanh", options["--loss"] or "squared_error"
    if widths is not None:
        refuse({"--bias": options["--bias"]}, "--widths, whose layers have biases")
        inputs, *hidden, outputs = layer_widths("--widths", widths, at_least=2)
        link = LOSSES.find(loss).link
        last = options["--output-activation"] or (link.activation if link else "identity")
        return Network(inputs, [*(Dense(units, activation) for units in hidden), Dense(outputs, last)], loss)
    refuse({"--output-activation": options["--output-activation"]}, "a chain, whose activations are all the same")
    net = chain_of(2 if chain is None else chain, activation, loss)
    return Network(1, [Dense(1, activation) for _ in net.layers], loss) if options["--bias"] else net


def _sample(x: str, y: str) -> dict[str, Any]:
    """Return the row of inputs and its target as `derive` takes them."""
    target = number_list("--y", y)
    return {"x": [number_list("--x", x)], "y": target if len(target) == 1 else [target]}
