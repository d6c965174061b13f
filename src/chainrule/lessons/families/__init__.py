"""The families of problems, in the order of the lecture."""

from . import chain as chain
