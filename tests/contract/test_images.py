"""What every engine does with images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from machines import NO_SUCH_IMAGE, Bench, Make, MemoryMachine, Site
from memory import each_run

from msctl.engines.compose import labels
from msctl.engines.compose.steps import (
    ProvideImage,
)
from msctl.errors import ImageUnavailable, StepFailed
from msctl.request import Up


def provide(reference: str, **more: object) -> ProvideImage:
    return ProvideImage(target=reference, service="web", **more)  # type: ignore[arg-type]


def test_an_image_that_is_present_is_used(site: Make) -> None:
    """Nothing is asked of a registry for what is there."""
    web = site(web="steady")
    before = web.engine.observe().images
    web.perform(provide(web.stack.services["web"].image))
    assert web.engine.observe().images == before


@pytest.mark.far
def test_an_image_that_cannot_be_had_is_an_error(site: Make) -> None:
    """Not there, not to be pulled and without a build: the error names the image."""
    web = site(web={"image": NO_SUCH_IMAGE})
    with pytest.raises(ImageUnavailable, match=NO_SUCH_IMAGE):
        web.perform(provide(NO_SUCH_IMAGE))
    assert web.engine.observe().images == {}


def test_an_optional_image_that_cannot_be_had_is_left_out(site: Make) -> None:
    """The plan goes on without it, and says so."""
    web = site(web={"image": NO_SUCH_IMAGE, "optional": True}, api="steady")
    plans = list(_fulfilled(web))
    assert plans[-1].startswith("web is left out: ")
    assert {replica.service for replica in web.engine.observe().containers} == {"api"}


def _fulfilled(site: Site) -> Iterator[str]:
    """The notes of each plan of an `up`."""
    for plan, outcome in each_run(site.engine, Up(), site.bench.machine.clock):
        assert outcome.failures == {}
        yield "\n".join(plan.notes)


def test_a_container_without_image_is_not_created(site: Make) -> None:
    """An image that vanished since the plan was made fails the create."""
    web = site(web="steady")
    (create,) = [step for step in web.steps() if step.verb == "create"]
    body = {**create.body, "Image": NO_SUCH_IMAGE}  # type: ignore[attr-defined]
    web.do("create network")
    with pytest.raises(StepFailed, match="No such image"):
        web.perform(type(create)(**{**vars(create), "body": body}))
    assert web.engine.observe().containers == ()


@pytest.mark.far
def test_an_image_is_built_where_it_cannot_be_pulled(bench: Bench, tmp_path: Path) -> None:
    """A build gives the image its reference, and a stand-in is known by its label."""
    reference = f"{NO_SUCH_IMAGE}-{bench.project}"
    (tmp_path / "Dockerfile").write_text(
        "FROM debian:bookworm-slim\n"
        f"LABEL {labels.STAND_IN}=true {labels.PROJECT}={bench.project}\n"
    )
    web = bench.site({"web": {"image": reference}})
    web.perform(provide(reference, build={"context": str(tmp_path)}))
    image = web.engine.observe().images[reference]
    assert image.health_check is False
    if not isinstance(bench.machine, MemoryMachine):
        assert image.stand_in
