"""The nodes of a YAML file, within limits, and the values that they stand for."""

from __future__ import annotations

from typing import Any

from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MAX_DEPTH = 10
MAX_NODES = 40_000  # words, lists and mappings, of which the YAML library reads some ten thousand in a second
_TAG = "tag:yaml.org,2002:"


class LimitedComposer(Composer):
    """Refuses what a lesson does not need, before it can grow: names for parts of a file, and endless nesting.

    A value that is left empty is placed at its key, and not where the next one begins. Whatever the YAML library raises
    has a place.
    """

    nesting = 0  # not depth, which the base class has
    nodes = 0

    def get_single_node(self) -> Any:
        """Return the root of the only document, None of an empty one."""
        try:
            return super().get_single_node()
        except YAMLError:
            raise
        except Exception as error:  # its scanner, parser and resolver have errors that are not meant for users
            why = (
                f"the YAML library failed before this place ({type(error).__name__}: {error}); simplify the YAML there"
            )
            raise ComposerError(None, None, why, self.loader.reader.get_mark()) from error

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node, if it is within the limits."""
        event = self.parser.peek_event()
        if getattr(event, "anchor", None) is not None:
            why = "a lesson names no parts of itself with & and *; write the part out, and text in quotes"
            raise ComposerError(None, None, why, event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise ComposerError(
                None, None, f"a lesson has no tags such as {event.tag:.40}; remove it", event.start_mark
            )
        if self.nesting == MAX_DEPTH:
            raise ComposerError(None, None, f"it is nested more than {MAX_DEPTH} deep", event.start_mark)
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise ComposerError(
                None, None, f"it has more than {MAX_NODES:,} values; split it into two lessons", event.start_mark
            )
        self.nesting += 1
        node = super().compose_node(parent, index)
        self.nesting -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Return a mapping, in which empty values are placed at their keys."""
        node = super().compose_mapping_node(anchor)
        for key, value in node.value:
            if isinstance(value, ScalarNode) and value.start_mark.index == value.end_mark.index:
                value.start_mark = key.start_mark
        return node


def value_of(node: Node) -> Any:
    """Return the value of a node: text, a number, true or false, nothing, or a list or mapping of these."""
    if isinstance(node, SequenceNode):
        return [value_of(item) for item in node.value]
    if isinstance(node, MappingNode):
        return {str(key.value): value_of(value) for key, value in node.value}
    word, tag = str(node.value), str(node.tag).removeprefix(_TAG)
    try:
        if tag == "int":
            return int(word.replace("_", ""), 0 if word.lstrip("+-")[:2] in ("0x", "0o") else 10)
        if tag == "float":
            return float(word.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
    except ValueError:
        return word
    if tag == "bool":
        return word.lower() in ("true", "yes", "on", "y")
    return None if tag == "null" else word
