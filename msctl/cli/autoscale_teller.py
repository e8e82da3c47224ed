"""How the rounds of `msctl autoscale` are told: as JSON, as a live table, or line by line."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from msctl.cli.autoscale_view import Room, line, table, view
from msctl.cli.autoscaling import Verdict
from msctl.cli.session import Session

_LINES = 24
"""Of a terminal that does not tell."""


@dataclass
class Teller:
    """Tells decisions: as JSON, as a live table, or a line for each that changes something."""

    session: Session
    project: str
    dry_run: bool
    once: bool
    latest: dict[str, Verdict] = field(default_factory=dict)
    messages: deque[str] = field(default_factory=lambda: deque(maxlen=5))
    _draw: Callable[..., None] | None = None

    @property
    def live(self) -> bool:
        return self._draw is not None

    @contextmanager
    def open(self) -> Iterator[None]:
        """The live table's screen, where there is a terminal for it."""
        ui = self.session.ui
        if self.session.options.json or self.once or ui.height is None or not ui.live:
            yield
            return
        with ui.screen() as self._draw:
            try:
                self.draw("measuring")
                yield
            finally:
                self._draw = None

    def say(self, text: str) -> None:
        """A message: beneath the live table, else to stderr."""
        if self.live:
            stamp = self.session.app.now().strftime("%H:%M:%S")
            self.messages.append(f"{stamp} {text}")
        else:
            self.session.ui.note(text)

    def decided(self, verdicts: Sequence[Verdict]) -> None:
        """What is going to be done: seen on the live table only."""
        if self.live and not self.dry_run:
            shown = self.latest | {verdict.service: verdict for verdict in verdicts}
            changes = [f"{v.service} {v.current} → {v.wanted}" for v in verdicts if v.changes]
            if changes:
                self.draw(f"scaling {', '.join(changes)}", shown.values())

    def told(self, verdicts: Sequence[Verdict]) -> None:
        """The decisions of a round, and what became of them."""
        ui, before = self.session.ui, dict(self.latest)
        self.latest |= {verdict.service: verdict for verdict in verdicts}
        if self.session.options.json:
            for verdict in verdicts:
                ui.json(verdict.record(), indent=None)
        elif self.once:
            if verdicts:
                ui.show([table(verdicts, self.session.app.clock())])
            return  # the table has each reason
        else:
            for verdict in verdicts:
                if _news(before.get(verdict.service), verdict):
                    text = line(verdict, dry_run=self.dry_run)
                    self.messages.append(text) if self.live else ui.write(f"{text}\n")
        for verdict in verdicts:
            self._by_hand(before.get(verdict.service), verdict)

    def _by_hand(self, before: Verdict | None, verdict: Verdict) -> None:
        """That somebody's hand is left alone is told once."""
        if _held_by(verdict) is not None and _held_by(verdict) != (before and _held_by(before)):
            self.say(f"{verdict.service}: {verdict.decision.reason}")

    def draw(self, doing: str, verdicts: Iterable[Verdict] | None = None) -> None:
        if self._draw is not None:
            latest = self.latest.values() if verdicts is None else verdicts
            now = self.session.app.clock()
            room = Room(self.session.ui.width, self.session.ui.height or _LINES)
            self._draw(view(self.project, latest, list(self.messages), now, doing, room))


def _held_by(verdict: Verdict) -> int | None:
    hand = verdict.decision.history.hand
    return None if hand is None or hand.over else hand.number


def _news(before: Verdict | None, verdict: Verdict) -> bool:
    """Whether a decision changes something, and is not the one that could not be done before."""
    if not verdict.changes:
        return False
    same = before is not None and not before.acted and not verdict.acted
    return not (
        same and before and (before.current, before.wanted) == (verdict.current, verdict.wanted)
    )
