"""`--engine kubernetes`: rollouts that do not end, and what is taken back."""

from __future__ import annotations

import threading

import pytest
from apiserver import Behaviour
from clusters import Site, image_of

pytestmark = pytest.mark.timeout(60)


def test_a_rollout_that_never_ends_is_told_with_reasons_and_log(shop: Site) -> None:
    """Exit status 1 after the deadline; the old replicas have served all along."""
    bad = Behaviour(waiting=("ImagePullBackOff", 'Back-off pulling image "web:2"'), log=("oops",))
    shop.api.behave("web", Behaviour(by_image={"web:2": bad}))
    shop.edit("image: web:1", "image: web:2")
    answer = shop.msctl("up", "--timeout", "1")
    assert answer.status == 1
    assert "deployment/web is not ready within 1s: 0 of 2 ready" in answer.err
    assert 'ImagePullBackOff: Back-off pulling image "web:2"' in answer.err
    assert "oops" in answer.err
    assert "web: the update failed; it is taken back to the revision before" in answer.err
    assert image_of(shop, "web") == "web:1"
    assert len([n for n in shop.api.names("pods") if n.startswith("web-")]) == 2
    assert shop.msctl("status").status == 0


def test_a_rollout_that_its_controller_gives_up_ends_the_wait(shop: Site) -> None:
    """ProgressDeadlineExceeded is told long before the deadline."""
    bad = Behaviour(ready=False, stuck=True)
    shop.api.behave("web", Behaviour(by_image={"web:2": bad}))
    shop.edit("image: web:1", "image: web:2")
    answer = shop.msctl("up", "--timeout", "600")
    assert answer.status == 1
    assert "has timed out progressing" in answer.err
    assert "web" in answer.err


def test_a_failed_image_is_taken_back(shop: Site) -> None:
    """Whatever command brought it; the pods of before are the same ones."""
    shop.api.behave("web", Behaviour(by_image={"web:9": Behaviour(ready=False, stuck=True)}))
    before = [name for name in shop.api.names("pods") if name.startswith("web-")]
    answer = shop.msctl("rollout", "web", "--image", "web:9")
    assert answer.status == 1
    assert "it is taken back" in answer.err
    assert image_of(shop, "web") == "web:1"
    assert [name for name in shop.api.names("pods") if name.startswith("web-")] == before
    shop.api.requests.clear()
    assert shop.msctl("up").status == 0
    assert shop.api.changes() == []


def test_a_failed_restart_is_taken_back(shop: Site) -> None:
    """The mark that replaces the pods goes again."""
    shop.api.behave("web", Behaviour(restarted=Behaviour(ready=False, stuck=True)))
    before = [name for name in shop.api.names("pods") if name.startswith("web-")]
    answer = shop.msctl("restart", "web")
    assert answer.status == 1
    assert "take back restart of deployment/web" in answer.err
    assert [name for name in shop.api.names("pods") if name.startswith("web-")] == before


def test_a_failed_update_of_a_database_is_taken_back(shop: Site) -> None:
    """It was replaced stop-first; what needs it is not updated."""
    bad = Behaviour(waiting=("ImagePullBackOff", "no such image"))
    shop.api.behave("db", Behaviour(by_image={"db:2": bad}))
    shop.edit("image: db:1", "image: db:2")
    shop.edit("image: api:1", "image: api:2")
    answer = shop.msctl("up", "--timeout", "1")
    assert answer.status == 1
    assert "statefulset/db is not ready" in answer.err
    assert image_of(shop, "db", "statefulsets.apps") == "db:1"
    assert image_of(shop, "api") == "api:1"
    assert shop.msctl("status").status == 0


def test_routes_and_files_of_a_failed_update_are_taken_back(shop: Site) -> None:
    """What the replicas of before do not know leads nowhere."""
    shop.api.behave("web", Behaviour(by_image={"web:2": Behaviour(ready=False, stuck=True)}))
    shop.edit("image: web:1", "image: web:2")
    shop.edit("routes: [/]", "routes: [/new]")
    assert shop.msctl("up").status == 1
    (rule,) = shop.api.get("ingressroutes.traefik.io", "web-route")["spec"]["routes"]
    assert rule["match"] == "PathPrefix(`/`)"


def test_what_was_new_or_failed_before_is_not_taken_back(shop: Site) -> None:
    """There is nothing that worked to return to."""
    bad = Behaviour(ready=False, stuck=True)
    shop.api.behave("web", Behaviour(ready=False, by_image={"web:2": bad, "new:1": bad}))
    shop.api.behave("new", bad)
    shop.edit("image: web:1", "image: web:2")
    shop.edit("services:\n", "services:\n  new: {image: 'new:1', port: 1}\n")
    answer = shop.msctl("up", "new", "web")
    assert answer.status == 1
    assert "taken back" not in answer.err
    assert image_of(shop, "web") == "web:2"


def test_pods_that_the_cluster_refuses_are_told(shop: Site) -> None:
    """By the Deployment's own condition, since there is no pod to ask."""
    shop.api.behave("web", Behaviour(by_image={"web:2": Behaviour(refused="violates PodSecurity")}))
    shop.edit("image: web:1", "image: web:2")
    answer = shop.msctl("up", "--timeout", "1")
    assert answer.status == 1
    assert "0 of 2 started: violates PodSecurity" in answer.err


def test_a_database_whose_pod_is_refused_is_told(shop: Site) -> None:
    """By the event of its controller, which has no condition for it."""
    shop.api.behave("db", Behaviour(by_image={"db:2": Behaviour(refused="no room")}))
    message = {"reason": "FailedCreate", "message": 'pods "db-0" is forbidden: exceeded quota'}
    event = {"metadata": {"name": "e"}, "involvedObject": {"name": "db"}, **message}
    shop.api.put("events", event)
    shop.edit("image: db:1", "image: db:2")
    answer = shop.msctl("up", "--timeout", "1")
    assert answer.status == 1
    assert "exceeded quota" in answer.err
    assert image_of(shop, "db", "statefulsets.apps") == "db:1"


def test_a_wait_hears_of_changes_by_a_watch(shop: Site) -> None:
    """It looks when something has changed, and not only from time to time."""
    shop.api.behave("web", Behaviour(by_image={"web:2": Behaviour(ready=False)}))
    shop.edit("image: web:1", "image: web:2")
    ready = threading.Timer(1.0, lambda: shop.api.behave("web", Behaviour()))
    ready.start()
    answer = shop.msctl("up")
    ready.join()
    assert answer.status == 0, answer.err
    assert "/apis/apps/v1/namespaces/shop/deployments" in shop.api.watches


def test_who_may_not_watch_waits_all_the_same(shop: Site) -> None:
    """By looking from time to time."""
    shop.api.forbidden.add(("watch", "deployments.apps"))
    shop.edit("image: web:1", "image: web:2")
    assert shop.msctl("up").status == 0
