"""One load test from its first request to its figures."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from msctl.cli.session import Session
from msctl.engines.base import Engine
from msctl.errors import MsctlError
from msctl.loadgen.witness import Witness, read_log
from msctl.loadtest.outcome import TIMEOUT, Outcome
from msctl.loadtest.result import Result, remarks, result
from msctl.loadtest.shape import Shape
from msctl.loadtest.target import Target
from msctl.loadtest.traffic import Traffic, join
from msctl.model import GATEWAY
from msctl.state import StackState

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Found:
    """What a load test gave."""

    result: Result
    outcomes: Sequence[Outcome]
    traffic: Traffic
    began: datetime
    interrupted: bool


@dataclass
class LoadTest:
    """Sends the load, watches the stack meanwhile, and joins both."""

    session: Session
    engine: Engine
    service: str
    shape: Shape
    target: Target
    _outcomes: list[Outcome] = field(default_factory=list)
    _failed: int = 0

    def run(self) -> Found:
        """The whole test; Ctrl-C ends it early, with what there is so far.

        Raises:
            MsctlError: the gateway or the service does not run.
        """
        app, ui = self.session.app, self.session.ui
        run, interrupted = f"msctl-{secrets.token_hex(6)}", False
        with Witness(self.engine, self.service, app.now) as witness:
            self._check_running(witness.look())
            ui.say(f"{self.service}: {self.shape}, {self.target.method} {self.target.url}")
            began = app.now()
            try:
                with self._progress():
                    app.send(self.target, self.shape, run, self._tell)
            except KeyboardInterrupt:
                interrupted = True
        outcomes = sorted(self._outcomes, key=lambda outcome: outcome.number)
        traffic = self._traffic(witness, outcomes, run, began)
        figures = result(self.service, self.shape, outcomes, traffic)
        return Found(figures, outcomes, traffic, began, interrupted)

    def tell(self, found: Found) -> int:
        """Print the figures; the exit status."""
        ui = self.session.ui
        if self.session.options.json:
            ui.json(found.result.record())
        else:
            from msctl.cli.load_test_view import view

            ui.show(view(found.result))
        for remark in remarks(self.shape, found.outcomes, found.result, found.traffic):
            ui.note(remark)
        if found.interrupted:
            ui.note("interrupted: these are the figures of the requests that had ended")
            return 130
        return 1 if found.result.failed or not found.result.requests else 0

    def write_report(self, found: Found, path: Path) -> None:
        """The page with charts.

        Raises:
            UsageProblem: it cannot be written.
        """
        from msctl.cli.outputs import write_whole
        from msctl.loadtest.report import page

        notes = tuple(remarks(self.shape, found.outcomes, found.result, found.traffic))
        text = page(
            found.result,
            found.outcomes,
            load=str(self.shape),
            target=f"{self.target.method} {self.target.url}",
            began=found.began,
            remarks=notes,
        )
        shown = self.session.shown(path)
        write_whole(path, text, shown)
        self.session.ui.say(f"{shown} is written", "green")

    def _check_running(self, state: StackState) -> None:
        again, project = self.session.again, state.project
        if not any(replica.running for replica in state.of(GATEWAY)):
            raise MsctlError(f"the gateway of {project} is not running", hint=again("up"))
        if not any(replica.running for replica in state.of(self.service)):
            raise MsctlError(
                f"{self.service} has no replica that runs", hint=again(f"up {self.service}")
            )

    # While it runs

    def _tell(self, outcome: Outcome) -> None:
        self._outcomes.append(outcome)
        self._failed += outcome.failed
        if self.shape.is_short:
            count, latency = self.shape.planned or 0, outcome.latency
            time = "" if latency is None else f"{latency * 1000:8.1f} ms"
            number = f"[{outcome.number + 1:{len(str(count))}}/{count}]"
            style = "red" if outcome.failed else ""
            self.session.ui.say(f"{number} {outcome.word:>4}{time}", style)

    @contextmanager
    def _progress(self) -> Iterator[None]:
        """A bar where somebody looks at a terminal and the outcomes are not shown themselves."""
        if self.shape.is_short or not self.session.ui.live:
            yield
            return
        from msctl.views import Progress

        clock, start = self.session.app.clock, self.session.app.clock()

        def lines() -> list[Progress]:
            passed, ended = clock() - start, len(self._outcomes)
            planned = self.shape.planned
            share = ended / planned if planned else passed / (self.shape.seconds or 1)
            failed = f"{self._failed} failed" if self._failed else "none failed"
            text = f"{ended / passed:.0f}/s, {failed}" if passed > 0 else ""
            return [
                Progress(
                    self.service,
                    "running",
                    done=ended,
                    total=planned or 0,
                    text=text,
                    seconds=passed,
                    share=min(share, 1.0),
                )
            ]

        with self.session.ui.progress(lines, leave=False):
            yield

    # Afterwards

    def _traffic(
        self, witness: Witness, outcomes: Sequence[Outcome], run: str, began: datetime
    ) -> Traffic:
        answered = frozenset(o.number for o in outcomes if o.status is not None)
        given_up = frozenset(o.number for o in outcomes if o.error == TIMEOUT)
        try:
            entries = read_log(
                self.engine,
                run,
                began,
                answered=answered,
                others=given_up,
                sleep=self.session.app.sleep,
            )
        except MsctlError as error:
            return Traffic(
                known=witness.sightings.names,
                error=f"the gateway's access log could not be read: {error.message}",
            )
        except KeyboardInterrupt:
            return Traffic(known=witness.sightings.names, error="interrupted before it was read")
        return join(self.service, outcomes, entries, witness.sightings)
