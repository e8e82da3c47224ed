"""What is wrong from round to round: told when it begins and when it is over, not in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Troubles:
    """Remembers what has been told, by topic."""

    say: Callable[[str], None]
    told: set[str] = field(default_factory=set)

    def note(self, topic: str, text: str) -> None:
        """Tell it, unless it was told since it was last over; without a text, remember it only."""
        if topic not in self.told:
            self.told.add(topic)
            if text:
                self.say(text)

    def over(self, topic: str, text: str = "") -> None:
        """Tell that it is over, if it ever was told."""
        if topic in self.told:
            self.told.discard(topic)
            if text:
                self.say(text)
