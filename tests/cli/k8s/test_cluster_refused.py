"""`--engine kubernetes`: what a cluster, or msctl, refuses."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import pytest
from apiserver import Behaviour
from clusters import Site

pytestmark = pytest.mark.timeout(60)


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


def test_options_of_a_cluster_are_none_of_another_engine(site: Site) -> None:
    """`--context` chooses nothing on a Docker engine, and is refused there."""
    answer = site.msctl("--engine", "compose", "--context", "test", "status")
    assert answer.status == 2
    assert "--context is an option of --engine kubernetes" in answer.err


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
    assert re.search(r"hint: \S*python\S* -m pip install 'kubernetes>=[0-9.]+' ", answer.err)
