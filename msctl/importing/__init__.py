"""A Compose file → a stack file, and what could not be carried over."""

from msctl.importing.inline import Made
from msctl.importing.reading.composed import BrokenFile, Composed, composed
from msctl.importing.source import Note, Source
from msctl.importing.stackfile import Imported, imported

__all__ = ["BrokenFile", "Composed", "Imported", "Made", "Note", "Source", "composed", "imported"]
