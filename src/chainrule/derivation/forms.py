"""In which form a formula is written: products without brackets in them, signs in front, y − f for f − y."""

from __future__ import annotations

from collections.abc import Sequence

from ..formula import Call, EntryProduct, Expression, MatrixProduct, Negative, Product, Quotient, Sum, Symbol
from ..formula.functions import product_of


def factors(tree: Expression) -> Sequence[Expression]:
    """Return the factors of a product, or what is no product alone."""
    return tree.parts if isinstance(tree, Product) else (tree,)


def flat(tree: Expression) -> Expression:
    """Return a product without products in it."""
    return (
        product_of([inner for factor in tree.parts for inner in factors(factor)]) if isinstance(tree, Product) else tree
    )


def outermost_sign(tree: Expression) -> Expression:
    """Return a product with the signs of its factors in front of it."""
    if not isinstance(tree, (Product, Quotient, EntryProduct, MatrixProduct)):
        return tree
    parts = [outermost_sign(part) for part in tree.parts]
    plain = flat(tree.of(tuple(part.operand if isinstance(part, Negative) else part for part in parts)))
    return Negative(plain) if sum(isinstance(part, Negative) for part in parts) % 2 else plain


def turned(tree: Expression, outputs: set[Symbol], targets: set[Symbol]) -> Expression:
    """Return an expression with −(y − f) for every f − y that is a factor or a term."""
    match tree:
        case Sum((first, Negative(second))) if first in outputs and second in targets:
            return Negative(Sum((second, Negative(first))))
        case Product() | Quotient() | EntryProduct() | MatrixProduct() | Sum() | Negative():
            return outermost_sign(tree.of(tuple(turned(part, outputs, targets) for part in tree.parts)))
        case Call("row_sum", (inner,)):  # softmax has one in it
            within = turned(inner, outputs, targets)
            return -Call("row_sum", (within.operand,)) if isinstance(within, Negative) else Call("row_sum", (within,))
    return tree
