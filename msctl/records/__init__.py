"""Records: mappings of a file, each described by a class, read with all their problems at once.

`Record` classes say by their annotations which keys a mapping has; `Check`, `Schema` and `Shown`
in an annotation say how a value is read, what an editor may know of it, and how it is written.

That is pydantic's work, and was done by pydantic before: it took 730 of the 1,800 million
instructions of a `msctl status`, most of them before the first byte of the file was read. Other
libraries stop at the first problem (msgspec, attrs), or make their code anew at each start
(cattrs), which costs as much.
"""

from msctl.records.findings import Finding, Path, Unfit, Wrong, shown, wrong
from msctl.records.marks import Check, Schema, Shown
from msctl.records.reading import read_as
from msctl.records.record import Key, Record, key
from msctl.records.writing import written, written_as

__all__ = [
    "Check",
    "Finding",
    "Key",
    "Path",
    "Record",
    "Schema",
    "Shown",
    "Unfit",
    "Wrong",
    "key",
    "read_as",
    "shown",
    "written",
    "written_as",
    "wrong",
]
