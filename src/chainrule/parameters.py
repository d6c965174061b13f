"""The parameters of a network, or a gradient, which has the same shape: one flat vector and views into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .elementary import Array, namespace

BLOCK = 16384  # numbers: some arrays of this length fit into a core's cache together


def blocks(vector: Array) -> Iterator[slice]:
    """Yield slices that cover a parameter vector; block by block, intermediate results stay in the cache."""
    return (slice(i, i + BLOCK) for i in range(0, vector.shape[0], BLOCK))


class Parameters:
    """The weights and biases of every layer.

    Attributes
    ----------
    weights : tuple of array
        ``weights[i-1]`` is Wᵢ, shape (dᵢ₋₁, dᵢ).
    biases : tuple of array or None
        ``biases[i-1]`` is bᵢ, shape (dᵢ,); None where layer i has no bias.
    vector : array, shape (number of parameters,)
        W₁ row by row, b₁, W₂, b₂, … in one line. In what :meth:`Network.parameters` returns, the weights and
        biases are views into it: change one and the other changes.
    """

    __slots__ = ("_vector", "biases", "weights")

    def __init__(self, weights: Sequence[Array], biases: Sequence[Array | None], vector: Array | None = None) -> None:
        self.weights = tuple(weights)
        self.biases = tuple(biases)
        self._vector = vector

    @property
    def vector(self) -> Array:
        """All numbers in one line, shape (number of parameters,)."""
        if self._vector is None:
            pieces = [piece for pair in zip(self.weights, self.biases, strict=True) for piece in pair]
            xp = namespace(self.weights[0])
            self._vector = xp.concat([xp.reshape(piece, (-1,)) for piece in pieces if piece is not None])
        return self._vector

    def __repr__(self) -> str:
        shapes = ", ".join("×".join(map(str, w.shape)) for w in self.weights)
        return f"Parameters({self.vector.shape[0]} numbers; weights {shapes}; {self.vector.dtype})"
