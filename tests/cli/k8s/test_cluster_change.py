"""`--engine kubernetes`: `scale`, `rollout`, `rollback` and `restart`."""

from __future__ import annotations

import pytest
from clusters import Site, image_of

pytestmark = pytest.mark.timeout(60)


def test_scale_sets_the_replicas_and_waits(shop: Site) -> None:
    """By the subresource; the next up keeps them."""
    answer = shop.msctl("scale", "web", "4")
    assert answer.status == 0, answer.err
    assert shop.api.changes() == [("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web/scale")]
    assert "web: 4 replicas, 4 healthy" in answer.err
    shop.api.requests.clear()
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert shop.api.changes() == []
    assert shop.api.get("deployments.apps", "web")["spec"]["replicas"] == 4


def test_reset_scale_returns_to_the_file(shop: Site) -> None:
    """A manual scale is forgotten when that is asked for."""
    shop.msctl("scale", "web", "4")
    answer = shop.msctl("up", "--reset-scale")
    assert answer.status == 0, answer.err
    assert shop.api.get("deployments.apps", "web")["spec"]["replicas"] == 2


def test_scale_within_the_autoscalers_bounds_is_told_to_go_on(shop: Site) -> None:
    """The autoscaler goes on from there."""
    answer = shop.msctl("scale", "api", "3")
    assert answer.status == 0, answer.err
    assert "its HorizontalPodAutoscaler keeps it between 2 and 4" in answer.err
    assert shop.api.get("deployments.apps", "api")["spec"]["replicas"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["api", "5"], "keeps it between 2 and 4, so that 5 would not last"),
        (["web", "7"], "7 replicas are outside 1 to 6"),
        (["db", "2"], "it is stateful"),
        (["traefik", "3"], "is the gateway"),
    ],
)
def test_what_cannot_be_scaled_is_refused(shop: Site, words: list[str], said: str) -> None:
    """Nothing is changed."""
    answer = shop.msctl("scale", *words)
    assert answer.status == 2
    assert said in answer.err
    assert shop.api.changes() == []


def test_rollout_to_an_image_lasts_until_the_next_up(shop: Site) -> None:
    """`rollback` returns to the revision before, `up` to the file."""
    answer = shop.msctl("rollout", "web", "--image", "web:9")
    assert answer.status == 0, answer.err
    assert "until the next up" in answer.err
    assert image_of(shop, "web") == "web:9"
    assert "runs web:9, not web:1" in shop.msctl("status").out
    answer = shop.msctl("rollback", "web")
    assert answer.status == 0, answer.err
    assert image_of(shop, "web") == "web:1"
    shop.api.requests.clear()
    assert shop.msctl("up").status == 0
    assert shop.api.changes() == []
    shop.msctl("rollout", "web", "--image", "web:9")
    assert shop.msctl("up").status == 0
    assert image_of(shop, "web") == "web:1"


def test_rollback_of_a_database(shop: Site) -> None:
    """To the template of its ControllerRevision before, and back again."""

    def image() -> str:
        return image_of(shop, "db", "statefulsets.apps")

    answer = shop.msctl("rollback", "db")
    assert answer.status == 2
    assert "no revision before" in answer.err
    assert shop.msctl("rollout", "db", "--image", "db:9").status == 0
    assert image() == "db:9"
    for wanted in ("db:1", "db:9"):
        answer = shop.msctl("rollback", "db")
        assert answer.status == 0, answer.err
        assert image() == wanted


def test_rollout_without_a_change_replaces_the_pods(shop: Site) -> None:
    """As on the other engine, every replica is replaced."""
    before = [name for name in shop.api.names("pods") if name.startswith("web-")]
    answer = shop.msctl("rollout", "web")
    assert answer.status == 0, answer.err
    after = [name for name in shop.api.names("pods") if name.startswith("web-")]
    assert not set(before) & set(after)


def test_restart_replaces_the_pods_and_deploys_nothing(shop: Site) -> None:
    """An edited file stays undeployed, and the next up does not undo the restart."""
    before = set(shop.api.names("pods"))
    answer = shop.msctl("restart", "web")
    assert answer.status == 0, answer.err
    gone = before - set(shop.api.names("pods"))
    assert len(gone) == 2
    shop.api.requests.clear()
    assert shop.msctl("up").status == 0
    assert shop.api.changes() == []


def test_there_is_no_revision_before_the_first(shop: Site) -> None:
    """Nor after a mere restart."""
    shop.msctl("restart", "web")
    answer = shop.msctl("rollback", "web")
    assert answer.status == 2
    assert "web has no revision before" in answer.err


def test_scale_respects_the_bounds_that_keda_has(shop: Site) -> None:
    """Where a ScaledObject scales in place of a HorizontalPodAutoscaler."""
    shop.api.crds.add("keda.sh")
    shop.edit("name: shop\n", "name: shop\nkubernetes: {keda: true}\n")
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    answer = shop.msctl("scale", "api", "5")
    assert answer.status == 2
    assert "its ScaledObject api keeps it between 2 and 4" in answer.err


@pytest.mark.parametrize(
    "command", ["down", "scale web 4", "rollout web --image web:2", "restart web"]
)
def test_dry_run_tells_and_changes_nothing(shop: Site, command: str) -> None:
    """Whatever the command; the server is only asked."""
    answer = shop.msctl(*command.split(), "--dry-run")
    assert answer.status == 0, answer.err
    assert "nothing was changed" in answer.err
    assert "web" in answer.out
    assert [call for call in shop.api.changes() if "dryRun" not in call[1]] == []
