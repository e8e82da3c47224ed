"""`--engine kubernetes`: `up` and `down` against an API server in memory."""

from __future__ import annotations

import queue
import threading
import time

import pytest
from clusters import SHOP, Site

from msctl.config import load
from msctl.engines import connect
from msctl.engines.kubernetes.observing import follow

pytestmark = pytest.mark.timeout(60)


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


def test_a_broken_stream_brings_no_line_of_before(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none was asked for, and none came, none is told when it is opened again."""
    monkeypatch.setattr(follow, "BRIEF", 0.1)
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
        time.sleep(0.2)
        shop.api.cut_logs()
    assert lines.empty()
    assert {query["tailLines"] for query in shop.api.log_queries} == {"0"}
