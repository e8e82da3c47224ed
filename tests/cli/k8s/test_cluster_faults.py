"""`--engine kubernetes` where the cluster, or the way to it, is not well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from apiserver import Refusal
from clusters import Site

pytestmark = pytest.mark.timeout(60)


def with_user(site: Site, user: dict[str, Any]) -> None:
    """The kubeconfig's user has these credentials."""
    path = Path(site.environ["KUBECONFIG"])
    config = json.loads(path.read_text())
    config["users"][0]["user"] = user
    path.write_text(json.dumps(config))


def test_a_broken_kubeconfig_is_told(shop: Site) -> None:
    """With the place in it, and no word of an internal error."""
    Path(shop.environ["KUBECONFIG"]).write_text("a: [")
    answer = shop.msctl("status")
    assert answer.status == 3
    assert "is no kubeconfig: " in answer.err
    assert "line 1" in answer.err


def test_a_command_for_credentials_that_is_missing_is_told(shop: Site) -> None:
    """Rather than that the token may have expired."""
    api = "client.authentication.k8s.io/v1"
    with_user(shop, {"exec": {"apiVersion": api, "command": "no-such-plugin", "args": []}})
    answer = shop.msctl("status")
    assert answer.status == 3
    assert "no credentials for context test" in answer.err
    assert "no-such-plugin" in answer.err
    assert "ERROR:root" not in answer.err


def test_a_server_that_is_busy_is_asked_again(shop: Site) -> None:
    """When it says; nobody hears of it."""
    left = [2]

    def busy(method: str, path: str) -> Refusal | None:
        if path.endswith("/pods") and method == "GET" and left[0]:
            left[0] -= 1
            return Refusal(429, "TooManyRequests", "too many requests")
        return None

    shop.api.refuse = busy
    answer = shop.msctl("status")
    assert (answer.status, left) == (0, [0])
    assert "too many" not in answer.err


@pytest.mark.parametrize("code", [502, 503, 504])
def test_a_server_that_cannot_answer_is_told(shop: Site, code: int) -> None:
    """As one that is away: exit status 3, and once."""
    shop.api.refuse = lambda *_: Refusal(code, "ServiceUnavailable", "apiserver not ready")
    answer = shop.msctl("up")
    assert answer.status == 3
    assert answer.err.count("apiserver not ready") == 1
    assert f"cannot answer now ({code})" in answer.err
    assert "readyz" in answer.err


def test_a_rollout_outlasts_a_server_that_is_away_for_a_moment(shop: Site) -> None:
    """The cluster goes on meanwhile, and so does the wait."""
    shop.edit("image: web:1", "image: web:2")
    left = [2]

    def away(method: str, path: str) -> Refusal | None:
        applied = any(m == "PATCH" and p.endswith("/web") for m, p in shop.api.requests)
        if applied and path.endswith("/deployments") and method == "GET" and left[0]:
            left[0] -= 1
            return Refusal(503, "ServiceUnavailable", "apiserver not ready")
        return None

    shop.api.refuse = away
    answer = shop.msctl("up")
    assert answer.status == 0, answer.err
    assert left == [0]


def test_load_is_unknown_where_metrics_server_is_away(shop: Site) -> None:
    """It stands behind the API server, which goes on without it."""
    shop.api.refuse = lambda _, path: (
        Refusal(503, "ServiceUnavailable", "unable to handle") if "metrics.k8s.io" in path else None
    )
    answer = shop.msctl("status", "--load", "--json")
    assert answer.status == 0, answer.err
    replicas = answer.json["services"][0]["replicas"]
    assert {replica["cpu_percent"] for replica in replicas} == {None}


def test_what_stands_in_the_way_of_all_is_told_once(shop: Site) -> None:
    """With some of the objects, and how many more there are."""
    shop.api.refuse = lambda method, _: (
        Refusal(500, "InternalError", "etcdserver: request timed out") if method == "DRY" else None
    )
    answer = shop.msctl("up")
    assert answer.status == 1
    assert answer.err.count("etcdserver") == 1
    assert "namespace/shop, secret/db-password, networkpolicy/default-deny and " in answer.err
    assert "nothing was changed" in answer.err


def test_a_webhook_that_is_not_up_is_told(shop: Site) -> None:
    """With what waits for it."""
    message = 'Internal error occurred: failed calling webhook "webhook.cert-manager.io": refused'
    shop.api.refuse = lambda method, path: (
        Refusal(500, "InternalError", message) if (method, "issuers" in path) == ("DRY", True)
        else None
    )  # fmt: skip
    answer = shop.msctl("up")
    assert answer.status == 1
    assert "kubectl --context test wait -n cert-manager" in answer.err


def test_nothing_is_made_in_a_namespace_that_is_being_removed(shop: Site) -> None:
    """The command that waits for its end is told; nothing is changed."""
    home = shop.api.get("namespaces", "shop")
    home["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    shop.edit("image: web:1", "image: web:2")
    for words in (("up",), ("rollout", "web")):
        answer = shop.msctl(*words)
        assert answer.status == 1
        assert "namespace shop is being removed" in answer.err
        assert "wait --for=delete namespace/shop" in answer.err
    assert shop.api.changes() == []
