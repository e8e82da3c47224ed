"""`--engine kubernetes`: every command against an API server in memory."""

from __future__ import annotations

import queue
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest
from apiserver import ApiServer, Behaviour
from clusters import SHOP, Site, nobody

from msctl.config import load
from msctl.engines import connect
from msctl.engines.kubernetes.follow import BRIEF, LOOK

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """The shop's file is there, and an empty cluster."""
    with ApiServer() as api:
        yield Site(tmp_path, api)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The shop after its first up, to be copied."""
    with ApiServer() as api:
        found = Site(tmp_path_factory.mktemp("furnished"), api)
        answer = found.msctl("up")
        assert answer.status == 0, answer.err
    return found


@pytest.fixture
def shop(site: Site, furnished: Site) -> Site:
    """The shop is up."""
    site.api.like(furnished.api)
    shutil.copytree(furnished.folder / ".msctl", site.folder / ".msctl")
    return site


# up


def test_up_makes_everything_and_waits_for_it(site: Site) -> None:
    """Namespace, workloads, routes, autoscaler and secrets are there, and every pod is ready."""
    answer = site.msctl("up")
    assert answer.status == 0, answer.err
    assert site.api.names("namespaces") == ["shop"]
    assert site.api.names("deployments.apps") == ["api", "traefik-gateway", "web"]
    assert site.api.names("statefulsets.apps") == ["db"]
    assert site.api.names("horizontalpodautoscalers.autoscaling") == ["api"]
    assert site.api.names("secrets") == ["db-password"]
    assert "shop is up" in answer.err


def test_a_workload_waits_for_what_its_service_needs(site: Site) -> None:
    """The database is rolled out before the job, and the job has ended before the service comes."""
    site.msctl("up")
    applied = [path.rsplit("/", 1)[1] for _, path in site.api.changes() if "/apps/" in path]
    assert applied.index("db") < applied.index("api") < applied.index("web")


def test_a_second_up_has_nothing_to_do(shop: Site) -> None:
    """Nothing is changed, and a job that has ended is neither run nor waited for again."""
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert "nothing to do" in answer.err
    assert shop.api.changes() == []


def test_up_applies_what_the_file_changes_and_nothing_else(shop: Site) -> None:
    """One edit is one application, with its old and its new value in the line."""
    shop.edit("image: web:1", "image: web:2")
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert [path.rsplit("/", 1)[1] for _, path in shop.api.changes()] == ["web"]
    assert "web:1 → web:2" in answer.err


def test_a_dry_run_shows_the_servers_diff_and_changes_nothing(shop: Site) -> None:
    """Each field that would change, as the server would have it."""
    shop.edit("image: web:1", "image: web:2")
    answer = shop.msctl("up", "--dry-run")
    assert answer.status == 0, answer.err
    assert "spec.template.spec.containers[web].image: web:1 → web:2" in answer.out
    assert shop.api.changes() == []


def test_a_dry_run_before_the_first_up_writes_nothing(site: Site) -> None:
    """Neither in the cluster nor beside the stack file."""
    answer = site.msctl("up", "--dry-run")
    assert answer.status == 0, answer.err
    assert site.api.changes() == []
    assert not (site.folder / ".msctl" / "secrets").exists()


def test_up_removes_what_left_the_file(shop: Site) -> None:
    """Objects of ours that are not rendered go; volumes stay."""
    kept, _, _ = SHOP.partition("  api:\n")
    shop.write(kept.replace("    needs: [api]\n", ""))
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert shop.api.names("deployments.apps") == ["traefik-gateway", "web"]
    assert shop.api.names("statefulsets.apps") == []
    assert shop.api.names("horizontalpodautoscalers.autoscaling") == []
    assert shop.api.names("persistentvolumeclaims") == ["data-db-0"]


def test_what_others_made_is_not_removed(shop: Site) -> None:
    """Without our labels, an object is nobody's business."""
    shop.api.put("configmaps", {"metadata": {"name": "theirs", "labels": {}}})
    assert shop.msctl("up").status == 0
    assert "theirs" in shop.api.names("configmaps")


def test_another_job_in_the_file_replaces_the_finished_one(shop: Site) -> None:
    """A job's template cannot be changed, so that the old one goes first."""
    shop.edit("image: migrate:1", "image: migrate:2")
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert [m for m, path in shop.api.changes() if path.endswith("jobs/migrate")] == [
        "DELETE", "PATCH",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "command"),
    [
        (('volumes: ["data:/data"]', 'volumes: ["data:/data", "more:/more"]'),
         "delete statefulset/db --cascade=orphan"),
        (("    stateful: true\n", "    stateful: true\n    kubernetes: {storage: 9G}\n"),
         "delete statefulset/db --cascade=orphan"),
    ],
)  # fmt: skip
def test_what_cannot_be_changed_in_place_is_told(
    shop: Site, edit: tuple[str, str], command: str
) -> None:
    """With the command that makes room for a new one, and keeps pods and volumes."""
    shop.edit(*edit)
    answer = shop.msctl("up")
    assert answer.status == 1
    assert f"kubectl --context test -n shop {command}" in answer.err
    assert "then msctl --engine kubernetes up" in answer.err
    assert shop.api.changes() == []


def test_up_of_a_service_leaves_the_others(shop: Site) -> None:
    """Only what is named is updated."""
    shop.edit("image: web:1", "image: web:2")
    shop.edit("image: api:1", "image: api:2")
    assert shop.msctl("up", "web").status == 0
    assert [path.rsplit("/", 1)[1] for _, path in shop.api.changes()] == ["web"]


def test_a_secret_is_never_shown(shop: Site) -> None:
    """A changed secret is told as changed, in the plan and while it runs."""
    path = shop.folder / ".msctl" / "secrets" / "db-password"
    path.chmod(0o600)
    path.write_text("another-one")
    for words in (("up", "--dry-run"), ("up", "--dry-run", "--json"), ("up",)):
        answer = shop.msctl(*words)
        assert answer.status == 0, answer.err
        text = answer.out + answer.err
        assert "(secret, changed)" in text
        assert "another-one" not in text
        assert "YW5vdGhlci1vbmU" not in text


def test_the_clusters_secret_stays_where_this_machine_has_none(shop: Site) -> None:
    """Another checkout does not give the database another password."""
    before = shop.api.get("secrets", "db-password")["data"]
    (shop.folder / ".msctl" / "secrets" / "db-password").unlink()
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert shop.api.get("secrets", "db-password")["data"] == before
    assert shop.api.changes() == []


# Errors


def test_a_conflict_tells_who_owns_the_field(shop: Site) -> None:
    """Nothing is taken from others, and nothing is changed."""
    patch = {"spec": {"minReadySeconds": 99}}
    shop.api.write_as("kubectl-edit", "deployments.apps", "web", patch)
    answer = shop.msctl("up")
    assert answer.status == 1
    assert "conflict: deployment/web" in answer.err
    assert "kubectl-edit" in answer.err
    assert "spec.minReadySeconds" in answer.err
    assert shop.api.changes() == []


def test_what_msctl_wrote_in_another_way_is_no_conflict(shop: Site) -> None:
    """Fields that a patch of ours took are taken back."""
    shop.api.write_as("msctl", "deployments.apps", "web", {"spec": {"minReadySeconds": 99}})
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert shop.api.get("deployments.apps", "web")["spec"]["minReadySeconds"] != 99


def test_what_is_forbidden_is_told_with_verb_and_resource(shop: Site) -> None:
    """And with the command that asks whether it is allowed."""
    shop.api.forbidden.add(("patch", "deployments.apps"))
    shop.edit("image: web:1", "image: web:2")
    answer = shop.msctl("up")
    assert answer.status == 1
    assert "you may not patch deployments.apps in namespace shop" in answer.err
    assert "auth can-i patch deployments.apps --namespace shop" in answer.err


@pytest.mark.parametrize(
    ("verb", "resource", "words"),
    [
        ("list", "deployments.apps", ["status"]),
        ("list", "pods", ["up"]),
        ("list", "services", ["down"]),
        ("get", "middlewares.traefik.io", ["up"]),
        ("patch", "deployments.apps", ["up"]),
        ("patch", "deployments.apps", ["scale", "web", "3"]),
        ("patch", "deployments.apps", ["restart", "web"]),
        ("delete", "statefulsets.apps", ["down"]),
    ],
)
def test_whatever_is_forbidden_is_told_with_what_to_grant(
    shop: Site, verb: str, resource: str, words: list[str]
) -> None:
    """Verb, resource and namespace, and the commands by which it is allowed."""
    shop.api.forbidden.add((verb, resource))
    shop.edit("image: web:1", "image: web:2")
    if verb == "get":
        shop.edit("routes: [/]", "routes: [{path: /, rate_limit: 5}]")
    answer = shop.msctl(*words)
    assert answer.status == 1
    assert f"you may not {verb} {resource} in namespace shop" in answer.err
    role = f"kubectl -n shop create role msctl --verb={verb} --resource={resource}"
    assert role in answer.err
    assert "kubectl -n shop create rolebinding msctl --role=msctl --user=me" in answer.err


def test_all_that_may_not_be_listed_is_told_at_once(shop: Site) -> None:
    """Rather than one after the other."""
    shop.api.forbidden |= {("list", "pods"), ("list", "services")}
    answer = shop.msctl("status")
    assert answer.status == 1
    for resource in ("pods", "services"):
        assert f"you may not list {resource} in namespace shop" in answer.err


def test_a_hint_is_a_command_that_works_as_typed(shop: Site) -> None:
    """With the file, the engine, the context and the namespace that were given."""
    shop.api.behave("web", Behaviour(by_image={"web:2": Behaviour(ready=False, stuck=True)}))
    shop.edit("image: web:1", "image: web:2")
    shop.api.forbidden.clear()
    options = ("-f", "stack.yaml", "--context", "test", "--namespace", "shop")
    typed = "msctl -f stack.yaml --engine kubernetes --context test --namespace shop"
    assert f"hint: {typed} logs web" in shop.msctl(*options, "up").err
    assert f"hint: {typed} up nosuch" not in shop.msctl(*options, "up", "nosuch").err
    shop.msctl("down")
    assert f"hint: {typed} up web" in shop.msctl(*options, "scale", "web", "2").err


def test_an_expired_token_is_told(shop: Site) -> None:
    """The engine does not know who asks, which is as if it were not there."""
    shop.api.expired = True
    for command in ("up", "status", "down"):
        answer = shop.msctl(command)
        assert answer.status == 3
        assert "does not accept the credentials of context test" in answer.err
        assert "log in again" in answer.err


def test_a_cluster_that_does_not_answer_is_told(site: Site) -> None:
    """Exit status 3, with the address and what to type."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        path = Path(site.environ["KUBECONFIG"])
        path.write_text(
            path.read_text().replace(site.api.url, f"http://127.0.0.1:{free.getsockname()[1]}")
        )
    answer = site.msctl("status")
    assert answer.status == 3
    assert "no Kubernetes API answers at http://127.0.0.1:" in answer.err
    assert "Connection refused" in answer.err
    assert "kubectl --context test cluster-info" in answer.err


def test_no_kubeconfig_is_told(site: Site) -> None:
    """With the file that was looked for."""
    site.environ["KUBECONFIG"] = str(site.folder / "none")
    answer = site.msctl("status")
    assert answer.status == 3
    assert "no Kubernetes cluster is configured" in answer.err


def test_an_unknown_context_is_told_with_those_that_there_are(site: Site) -> None:
    """A wrong --context asks no cluster."""
    answer = site.msctl("--context", "prod", "status")
    assert answer.status == 3
    assert "prod is not a context" in answer.err
    assert "test" in answer.err
    assert site.api.requests == []


@pytest.mark.parametrize("group", ["traefik.io", "cert-manager.io"])
def test_a_missing_custom_resource_is_told_with_what_installs_it(site: Site, group: str) -> None:
    """Before anything is changed."""
    site.api.crds.remove(group)
    answer = site.msctl("up")
    assert answer.status == 1
    assert f"the cluster does not know {group}/" in answer.err
    assert "hint: kubectl --context test apply" in answer.err
    assert ("{cert_manager: false}" in answer.err) == (group == "cert-manager.io")
    assert site.api.changes() == []


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


@pytest.mark.parametrize("words", [["--build"], ["--pull"], ["--remove-orphans"], ["--no-drain"]])
def test_an_option_that_means_nothing_in_a_cluster_is_refused(site: Site, words: list[str]) -> None:
    """Rather than ignored."""
    answer = site.msctl("up", *words)
    assert answer.status == 2
    assert words[0] in answer.err


def test_a_rotation_in_a_cluster_is_refused(site: Site) -> None:
    """Rather than said to be done."""
    answer = site.msctl("secret", "rotate", "token")
    assert (answer.status, answer.err.splitlines()[0]) == (
        2,
        "error: secret rotate: msctl changes no password in a cluster; nothing was changed",
    )


def test_a_foreign_object_of_the_same_name_is_not_taken(site: Site) -> None:
    """It is named, with the command that would hand it over."""
    site.api.put("namespaces", {"metadata": {"name": "shop"}})
    theirs = {"metadata": {"name": "web"}, "spec": {"selector": {"app": "x"}}}
    site.api.put("services", theirs)
    answer = site.msctl("up")
    assert answer.status == 1
    assert "service/web is there already, and msctl did not make it" in answer.err
    assert site.api.changes() == []


# scale


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


# rollout, rollback, restart


def image_of(shop: Site, name: str, plural: str = "deployments.apps") -> str:
    """The image in a workload's template."""
    pod = shop.api.get(plural, name)["spec"]["template"]["spec"]
    found: str = pod["containers"][0]["image"]
    return found


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


# status, logs, down


def test_status_has_the_shape_of_every_engine(shop: Site) -> None:
    """Pods are replicas, endpoints say what gets requests, and the autoscaler what is desired."""
    answer = shop.msctl("status", "--json")
    assert answer.status == 0, answer.out
    found = answer.json
    assert (found["engine"], found["project"], found["healthy"]) == ("kubernetes", "shop", True)
    services = {service["name"]: service for service in found["services"]}
    assert list(services) == ["web", "api", "migrate", "db"]
    web = services["web"]
    assert (web["desired"], web["running"], web["healthy"], web["routed"]) == (2, 2, 2, 2)
    assert web["replicas"][0]["gateway_status"] == "UP"
    assert services["migrate"]["kind"] == "job"
    assert found["problems"] == []


def test_status_tells_where_the_load_balancer_answers(shop: Site) -> None:
    """The ports that the file publishes are those of another engine."""
    shop.edit(
        "    replicas: {initial: 2, max: 6}\n", "    kubernetes: {service_type: LoadBalancer}\n"
    )
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert "gateway    http://203.0.113.7:8080" in answer.err
    assert shop.msctl("status", "--json").json["gateway"]["url"] == "http://203.0.113.7:8080"


def test_doctor_asks_of_a_cluster_what_a_cluster_has(shop: Site) -> None:
    """Neither Docker's disk nor the machine's ports."""
    answer = shop.msctl("doctor")
    assert answer.status == 0, answer.out + answer.err
    assert "Kubernetes 1.36.0 at http://127.0.0.1:" in answer.out
    assert "Docker" not in answer.out
    assert "`up` has nothing to do" in answer.out


def test_routes_are_those_of_the_ingress_routes(shop: Site) -> None:
    """With the addresses that are ready behind each."""
    routes = shop.msctl("routes", "--json").json["routes"]
    assert {(r["service"], r["status"], r["servers_up"]) for r in routes} == {
        ("web", "enabled", 2),
        ("api", "enabled", 2),
    }


def test_options_of_a_cluster_are_none_of_another_engine(site: Site) -> None:
    """`--context` chooses nothing on a Docker engine, and is refused there."""
    answer = site.msctl("--engine", "compose", "--context", "test", "status")
    assert answer.status == 2
    assert "--context is an option of --engine kubernetes" in answer.err


def test_status_is_degraded_when_a_pod_is(shop: Site) -> None:
    """Exit status 1, with the pod's own reason."""
    shop.api.behave("web", Behaviour(waiting=("CrashLoopBackOff", "back-off 5m0s"), restarts=7))
    answer = shop.msctl("status", "--json")
    assert answer.status == 1
    messages = [problem["message"] for problem in answer.json["problems"]]
    assert any("ends again and again: CrashLoopBackOff: back-off 5m0s" in m for m in messages)
    assert shop.msctl("status").status == 1


def test_status_of_a_stack_that_is_not_up(site: Site) -> None:
    """Every service is missing; nothing is made up."""
    answer = site.msctl("status", "--json")
    assert answer.status == 1
    assert {p["kind"] for p in answer.json["problems"]} == {"missing", "gateway_down"}


def test_status_with_load_takes_usage_from_metrics_server(shop: Site) -> None:
    """Percent of the limit, and bytes."""
    pod = next(name for name in shop.api.names("pods") if name.startswith("api-"))
    usage = {"name": "api", "usage": {"cpu": "250m", "memory": "32Mi"}}
    labels = {"app.kubernetes.io/instance": "shop"}
    shop.api.put(
        "pods.metrics.k8s.io",
        {"metadata": {"name": pod, "labels": labels}, "containers": [usage]},
    )
    found = shop.msctl("status", "api", "--load", "--json").json
    replica = next(r for r in found["services"][0]["replicas"] if r["name"] == pod)
    assert (replica["cpu_percent"], replica["memory_bytes"]) == (25.0, 32 << 20)


def test_figures_of_requests_are_those_of_the_stacks_namespace(shop: Site) -> None:
    """Whoever scrapes Traefik there gives a name for each rule; where nobody does, they are
    unknown."""
    asked: list[str] = []

    def prometheus(request: httpx.Request) -> httpx.Response:
        asked.append(dict(parse_qsl(request.content.decode()))["query"])
        metric = {"name": "web", "figure": "rps"}
        kind = "matrix" if "range" in request.url.path else "vector"
        result = [] if kind == "matrix" else [{"metric": metric, "value": [0, "12.5"]}]
        data = {"resultType": kind, "result": result}
        return httpx.Response(200, json={"status": "success", "data": data})

    shop.prometheus = prometheus
    web, api, *_ = shop.msctl("status", "--load", "--json").json["services"]
    assert (web["rps"], api["rps"]) == (12.5, None)
    assert "shop-(?:web|api)-route-" in asked[-1]
    shop.msctl("--namespace", "shop", "metrics", "--json")
    assert "shop-(?:web|api)-route-" in asked[-1]
    shop.prometheus = nobody
    assert shop.msctl("status", "--load", "--json").json["services"][0]["rps"] is None
    shop.write(SHOP + "  prometheus: {image: 'prom/prometheus:v3', stateful: true}\n")
    hint = "-n shop port-forward service/prometheus 9090"
    assert hint in shop.msctl("status", "--load").out
    assert hint in shop.msctl("metrics").err


def test_replicas_beyond_the_files_bounds_are_no_surplus(shop: Site) -> None:
    """Who scaled the Deployment by hand, or its autoscaler, has the last word."""
    shop.api.write_as("kubectl", "deployments.apps", "web", {"spec": {"replicas": 9}})
    answer = shop.msctl("status", "web", "--json")
    assert answer.status == 0
    assert answer.json["services"][0]["desired"] == 9
    assert answer.json["problems"] == []


def test_before_the_first_up_what_is_desired_is_the_renderings(site: Site) -> None:
    """The key `kubernetes` and the autoscaler's least replicas count."""
    site.edit("    replicas: {initial: 2, max: 6}\n",
              "    replicas: {initial: 2, max: 6}\n    kubernetes: {replicas: 4}\n")  # fmt: skip
    web, api, *_ = site.msctl("status", "--json").json["services"]
    assert (web["desired"], api["desired"]) == (4, 2)


def test_logs_are_merged_by_time(shop: Site) -> None:
    """Of all pods of a service, each with its name."""
    answer = shop.msctl("logs", "web", "--tail", "1")
    assert answer.status == 0, answer.err
    assert len(answer.out.splitlines()) == 2
    assert all(line.endswith("| second") for line in answer.out.splitlines())


def test_down_removes_everything_but_data(shop: Site) -> None:
    """Volumes stay, and with them the namespace; the next up finds the secret's file."""
    answer = shop.msctl("down")
    assert answer.status == 0, answer.err
    assert shop.api.names("deployments.apps") == []
    assert shop.api.names("pods") == []
    assert shop.api.names("services") == []
    assert shop.api.names("secrets") == []
    assert shop.api.names("persistentvolumeclaims") == ["data-db-0"]
    assert shop.api.names("namespaces") == ["shop"]
    assert "data-db-0" in answer.err
    assert shop.msctl("up").status == 0


def test_down_with_volumes_removes_the_namespace(shop: Site) -> None:
    """After a question, or with --yes."""
    assert shop.msctl("down", "--volumes").status == 2
    answer = shop.msctl("down", "--volumes", "--yes")
    assert answer.status == 0, answer.err
    assert shop.api.names("persistentvolumeclaims") == []
    assert shop.api.names("namespaces") == []
    assert "nothing to do" in shop.msctl("down").err


def test_what_cert_manager_made_for_us_keeps_no_namespace(shop: Site) -> None:
    """It goes with the namespace, as what it was made for does."""
    marks = {"cert-manager.io/certificate-name": "traefik-gateway"}
    shop.api.put("secrets", {"metadata": {"name": "traefik-gateway-tls", "annotations": marks}})
    assert shop.msctl("down", "--volumes", "--yes").status == 0
    assert shop.api.names("namespaces") == []


def test_scale_respects_the_bounds_that_keda_has(shop: Site) -> None:
    """Where a ScaledObject scales in place of a HorizontalPodAutoscaler."""
    shop.api.crds.add("keda.sh")
    shop.edit("name: shop\n", "name: shop\nkubernetes: {keda: true}\n")
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    answer = shop.msctl("scale", "api", "5")
    assert answer.status == 2
    assert "its ScaledObject api keeps it between 2 and 4" in answer.err


def test_down_leaves_a_namespace_in_which_others_are(shop: Site) -> None:
    """What msctl did not make is named and kept."""
    shop.api.put("configmaps", {"metadata": {"name": "theirs"}})
    answer = shop.msctl("down", "--volumes", "--yes")
    assert answer.status == 0, answer.err
    assert "configmap/theirs" in answer.err
    assert shop.api.names("namespaces") == ["shop"]
    assert shop.api.names("configmaps") == ["theirs"]


def test_a_lost_secret_is_not_made_anew_for_a_database_that_is_there(shop: Site) -> None:
    """It would not open what the old one closed."""
    shop.msctl("down")
    (shop.folder / ".msctl" / "secrets" / "db-password").unlink()
    answer = shop.msctl("up")
    assert answer.status == 1
    assert "volume data-db-0 exists and knows the old one" in answer.err


def test_another_namespace_is_another_stack(shop: Site) -> None:
    """Everything is made there, and what is in the first one stays."""
    answer = shop.msctl("--namespace", "staging", "up")
    assert answer.status == 0, answer.err
    assert shop.api.names("namespaces") == ["shop", "staging"]
    homes = {namespace for plural, namespace, _ in shop.api.store if plural == "deployments.apps"}
    assert homes == {"shop", "staging"}
    assert {p.split("/namespaces/")[1].split("/")[0] for _, p in shop.api.changes()} == {"staging"}


def test_logs_can_be_followed(shop: Site) -> None:
    """Of all pods of a service, without an end; the caller ends it."""
    loaded = load(shop.folder / "stack.yaml", shop.environ)
    found = connect("kubernetes", loaded, shop.environ).logs(("web",), follow=True)
    lines = list(islice(found, 4))
    found.close()  # type: ignore[attr-defined]
    assert len({line.replica for line in lines}) == 2
    assert [line.text for line in lines].count("second") == 2


def test_a_followed_log_has_the_pods_that_start_later(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch tells of them; however much the others write meanwhile."""
    monkeypatch.setattr("msctl.engines.kubernetes.follow.LOOK", 600.0)
    loaded = load(shop.folder / "stack.yaml", shop.environ)
    found = connect("kubernetes", loaded, shop.environ).logs(("web",), follow=True)
    seen = {line.replica for line in islice(found, 4)}
    shop.api.scale("web", 3)
    started = time.monotonic()
    late = list(islice(found, 2))
    found.close()  # type: ignore[attr-defined]
    assert len({line.replica for line in late} - seen) == 1
    assert [line.text for line in late] == ["first", "second"]
    assert time.monotonic() - started < 60


def test_a_followed_log_goes_on_where_its_stream_broke(shop: Site) -> None:
    """No line is told twice, and none that came meanwhile is lost."""
    loaded = load(shop.folder / "stack.yaml", shop.environ)
    found = connect("kubernetes", loaded, shop.environ).logs(("web",), follow=True)
    assert [line.text for line in islice(found, 4)].count("second") == 2
    time.sleep(BRIEF)
    shop.api.cut_logs()
    shop.api.behave("web", Behaviour(log=("first", "second", "third")))
    started = time.monotonic()
    late = list(islice(found, 2))
    assert [line.text for line in late] == ["third", "third"]
    assert len({line.replica for line in late}) == 2
    assert time.monotonic() - started < LOOK
    assert shop.api.log_queries[-1]["sinceTime"].startswith("2030-01-01T00:00:01")
    time.sleep(BRIEF)
    shop.api.expired = True  # the server is away for a while
    shop.api.cut_logs()
    time.sleep(0.5)
    shop.api.expired = False
    shop.api.behave("web", Behaviour(log=("first", "second", "third", "fourth")))
    assert [line.text for line in islice(found, 2)] == ["fourth", "fourth"]
    found.close()  # type: ignore[attr-defined]


def test_a_broken_stream_brings_no_line_of_before(shop: Site) -> None:
    """Where none was asked for, and none came, none is told when it is opened again."""
    loaded = load(shop.folder / "stack.yaml", shop.environ)
    found = connect("kubernetes", loaded, shop.environ).logs(("web",), follow=True, tail=0)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    reader = threading.Thread(target=lambda: [lines.put(line.text) for line in found], daemon=True)
    reader.start()
    until = time.monotonic() + 10
    for times in (2, 4):
        while len(shop.api.log_queries) < times:
            assert time.monotonic() < until
            time.sleep(0.02)
        time.sleep(BRIEF)
        shop.api.cut_logs()
    assert lines.empty()
    assert {query["tailLines"] for query in shop.api.log_queries} == {"0"}


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


def test_the_clusters_own_autoscalers_scale(shop: Site) -> None:
    """Two that decide would fight each other."""
    answer = shop.msctl("autoscale", "--once")
    assert answer.status == 2
    assert "msctl autoscale is not for kubernetes, whose own autoscalers do that" in answer.err


def test_without_its_client_the_engine_says_what_to_install(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is an extra, since not everybody has a cluster."""
    for name in [n for n in sys.modules if n.startswith("msctl.engines.kubernetes.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    answer = site.msctl("status")
    assert answer.status == 1
    assert "hint: pip install 'msctl[kubernetes]'" in answer.err
