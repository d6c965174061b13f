"""The families of problems, in the order of the lecture."""

from . import chain as chain  # isort: skip
from . import numbers as numbers  # isort: skip
from . import understanding as understanding  # isort: skip
from . import units as units  # isort: skip
