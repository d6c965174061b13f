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
    feature_names : tuple of str or None
        The columns of the data frame that they were trained on, in the order of the inputs; None where there are none.
    """

    __slots__ = ("_vector", "biases", "feature_names", "weights")

    def __init__(
        self,
        weights: Sequence[Array],
        biases: Sequence[Array | None],
        vector: Array | None = None,
        feature_names: tuple[str, ...] | None = None,
    ) -> None:
        self.weights = tuple(weights)
        self.biases = tuple(biases)
        self._vector = vector
        self.feature_names = feature_names

    def named(self, feature_names: tuple[str, ...] | None) -> Parameters:
        """Return these parameters, by which data frames are put in the order of these columns."""
        return Parameters(self.weights, self.biases, self._vector, feature_names)

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
