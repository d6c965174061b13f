"""Tables: from a file or a data frame to the arrays that a network is trained on, and back to labels.

>>> data = prepare(read_table("penguins"), target="species")
>>> data.x.shape, data.target.classes
((275, 15), ('Adelie', 'Chinstrap', 'Gentoo'))

- `reading`: a file, a bundled name or a text → a data frame
- `values`: one column → numbers, or text
- `encoding`: the feature columns → an array, as fitted on the training rows
- `target`: the column to be predicted ↔ class numbers or standardised numbers
- `preparation`: all of it together, with held-out rows
- `checks`: what a name and a label must be
- `report`: what was trained, and its held-out score beside a baseline
"""

from __future__ import annotations

from .encoding import Encoding
from .preparation import Prepared, prepare, split
from .reading import read_table, read_text
from .target import Target

__all__ = ["Encoding", "Prepared", "Target", "prepare", "read_table", "read_text", "split"]
