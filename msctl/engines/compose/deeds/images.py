"""Has images on the engine: pulls them, or builds them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from msctl.engines.compose.api.client import Client, EngineFault
from msctl.engines.compose.deeds import building
from msctl.engines.compose.deeds.order import Order
from msctl.engines.compose.observing.observe import image_state
from msctl.engines.compose.steps import ProvideImage
from msctl.errors import EngineUnreachable, ImageUnavailable
from msctl.ownimage import context
from msctl.plan import Ending

FIRST_ANSWER = 15.0
"""Seconds in which a registry has to answer at all."""
STALL = 60.0
"""Seconds without progress after which a pull has failed."""

OWN = "localhost/msctl-"
"""How the names of msctl's own images begin."""

Tell = Callable[[str], None]
_OUT_OF_REACH = (
    "no such host", "did not answer", "connection refused", "i/o timeout", "network is unreachable",
    "no route to host", "server misbehaving", "temporary failure", "Timeout exceeded",
    "request canceled", "x509", "certificate",
)  # fmt: skip
"""What the engine says where it reaches no registry at all."""


def remedy(why: str) -> str:
    """What to do about an image that cannot be pulled, by what the engine says."""
    if any(sign in why for sign in _OUT_OF_REACH):
        return (
            "the engine reaches no registry: bring the image by docker save, there, and docker "
            "load, here; name one of a registry that it reaches; or give the service a build"
        )
    return (
        "correct the image, or docker login where it is private; else give the service a build, or "
        "bring the image by docker load"
    )


class Images:
    """Provides images; remembers why one could not be had."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.unavailable: dict[str, str] = {}
        """Why, by reference."""

    def provide(self, step: ProvideImage, tell: Tell) -> None:
        """Present: used; else pulled; else built.

        Raises:
            ImageUnavailable: none of these, and the image is not optional.
            StepFailed: its build failed.
        """
        if step.target.startswith(OWN):
            self._provide_own(step, tell)
            return
        if step.force == "build" and step.build:
            self._build(step.target, step.build, tell)
            return
        present = image_state(self._client, step.target)
        if present is not None and not step.force:
            return
        if (why := self._pull(step.target, tell)) is None:
            return
        if present is not None:
            tell(f"kept as it is: {why}")
        elif step.build:
            self._build(step.target, step.build, tell)
        else:
            self.unavailable[step.target] = f"image {step.target} cannot be pulled: {why}"
            if not step.optional:
                raise ImageUnavailable(self.unavailable[step.target], hint=remedy(why))
            tell(Ending("image cannot be had"))

    def _provide_own(self, step: ProvideImage, tell: Tell) -> None:
        """An image of msctl's own is built and never pulled: nobody else's may take its place."""
        if step.force != "build" and image_state(self._client, step.target) is not None:
            return
        if step.build:
            self._build(step.target, step.build, tell)
        else:
            tell("building it of this msctl")
            order = Order(step.target, given=context(), archive=True)
            building.build(self._client, order, tell)
        self._forget_older(step.target)

    def _forget_older(self, reference: str) -> None:
        """Those of the same name that other versions of msctl were built into. One that a container
        has, the engine keeps: it goes when the next is built."""
        name = _split(reference)[0]

        def forget(tag: str) -> None:
            with suppress(EngineFault):
                self._client.call(lambda api: api.remove_image(tag))

        found = self._client.call(lambda api: api.images(name=name))
        for tag in {tag for one in found for tag in one["RepoTags"] or ()} - {reference}:
            forget(tag)

    def _pull(self, reference: str, tell: Tell) -> str | None:
        """Pull an image; why not, or None when it is there.

        The pull runs in a thread of its own: the engine itself may try an unreachable registry
        for minutes, and cannot be told to stop sooner than by hanging up.
        """
        pull = _Pull(self._client, reference)
        threading.Thread(target=pull.run, name="msctl-pull", daemon=True).start()
        patience = FIRST_ANSWER
        while pull.news.wait(patience):
            pull.news.clear()
            if pull.ended:
                if pull.fault is not None:
                    raise pull.fault
                return pull.why
            tell(f"pulling: {pull.progress}")
            patience = STALL
        return f"the registry did not answer within {patience:g}s"

    def _build(self, reference: str, build: Mapping[str, Any], tell: Tell) -> None:
        building.build(self._client, Order.of(reference, build), tell)


class _Pull:
    """One pull under way, in a thread of its own."""

    def __init__(self, client: Client, reference: str) -> None:
        self._client = client
        self._reference = reference
        self.news = threading.Event()
        self.progress = ""
        self.ended = False
        self.why: str | None = None
        self.fault: EngineUnreachable | None = None

    def run(self) -> None:
        repository, tag = _split(self._reference)
        try:
            for message in self._client.stream(
                lambda api: api.pull(repository, tag=tag, stream=True, decode=True)
            ):
                if "error" in message:
                    self.why = str(message["error"])
                self.progress = f"{message.get('status', '')} {message.get('progress', '')}".strip()
                self.news.set()
        except EngineFault as fault:
            self.why = fault.message
        except EngineUnreachable as fault:
            self.fault = fault
        self.ended = True
        self.news.set()


def _split(reference: str) -> tuple[str, str]:
    """Repository and tag (or digest); a reference without either means `latest`."""
    if "@" in reference:
        repository, _, digest = reference.partition("@")
        return repository, digest
    head, colon, tag = reference.rpartition(":")
    if colon and "/" not in tag:
        return head, tag
    return reference, "latest"
