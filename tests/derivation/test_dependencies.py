"""Who depends on whom, as a tree, a flow chart and a drawing."""

from __future__ import annotations

from xml.etree import ElementTree

import chainrule as cr
from chainrule.derivation.dependencies import as_mermaid, as_svg, as_tree

CHAIN = cr.derive(cr.chain(2))
NETWORK = cr.derive(cr.Network(2, [cr.Dense(2, "tanh"), cr.Dense(1)]))


def test_the_tree_of_a_chain_is_a_line_of_steps_with_a_weight_at_each() -> None:
    assert as_tree(CHAIN).splitlines() == [
        "ℒ",
        "├─ y",
        "└─ f₂",
        "   └─ z₂",
        "      ├─ f₁",
        "      │  └─ z₁",
        "      │     ├─ x",
        "      │     └─ w₁",
        "      └─ w₂",
    ]


def test_what_is_used_twice_is_written_out_once() -> None:
    softmax = cr.derive(cr.Network(1, [cr.Dense(1, "tanh"), cr.Dense(2, "softmax")], "cross_entropy"))
    written = as_tree(softmax)
    assert written.count("(see above)") > 0
    assert written.count("z₁,₁\n") == 1


def test_the_loss_depends_on_the_output_even_where_it_is_worked_out_from_z() -> None:
    linked = cr.derive(cr.Network(1, [cr.Dense(1, "logistic")], "binary_cross_entropy"))
    assert as_tree(linked).splitlines()[:3] == ["ℒ", "├─ f₁", "│  └─ z₁"]


def test_the_flow_chart_goes_the_way_of_the_forward_pass() -> None:
    lines = as_mermaid(CHAIN).splitlines()
    assert lines[0] == "flowchart LR"
    named = dict(line.strip().rstrip('"]').split('["') for line in lines if '["' in line)
    arrows = {tuple(named[end] for end in line.strip().split(" --> ")) for line in lines if "-->" in line}
    assert {("x", "z₁"), ("w₁", "z₁"), ("z₁", "f₁"), ("f₁", "z₂"), ("f₂", "ℒ"), ("y", "ℒ")} <= arrows


def test_the_drawing_has_a_circle_for_every_symbol_left_of_what_depends_on_it() -> None:
    root = ElementTree.fromstring(as_svg(NETWORK))
    texts = {element.text: float(element.get("x", "0")) for element in root.iter("text")}
    assert len(list(root.iter("circle"))) == len(texts) == len({*NETWORK.definitions}) - 3 + 2 + 1 + 1 + 9
    assert texts["x₁"] < texts["z₁,₁"] < texts["f₁,₁"] < texts["z₂,₁"] < texts["ℒ"]
