"""The families of problems, in the order of the lecture."""

from . import chain as chain  # isort: skip
from . import dependence as dependence  # isort: skip
from . import numbers as numbers  # isort: skip
from . import learning as learning  # isort: skip
from . import concepts as concepts  # isort: skip
from . import units as units  # isort: skip
from . import matrices as matrices  # isort: skip
from . import softmax as softmax  # isort: skip
