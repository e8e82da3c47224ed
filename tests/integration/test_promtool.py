"""Prometheus's own tool accepts its files, the alerts do what they shall, and msctl's queries
count what they shall."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml
from live import PROMETHEUS_IMAGE, REPOSITORY

from msctl.monitoring.queries import (
    error_rate,
    pattern,
    quantile,
    rps,
    servers,
    servers_up,
    traffic_query,
)

pytestmark = pytest.mark.engine

FOLDER = REPOSITORY / "prometheus"
Promtool = Callable[..., str]


def archive(files: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return content.getvalue()


@pytest.fixture
def promtool(engine: docker.DockerClient, prometheus_image: None) -> Promtool:  # noqa: ARG001
    """Runs promtool in Prometheus's image, with the repository's files where the stack has them;
    it has to end well."""
    own = {
        str(path.relative_to(FOLDER)): path.read_text() for path in sorted(FOLDER.rglob("*.yml"))
    }

    def run(*words: str, **files: str) -> str:
        container = engine.containers.create(
            PROMETHEUS_IMAGE,
            list(words),
            entrypoint=["/bin/promtool"],
            working_dir="/etc/prometheus",
        )
        try:
            more = {name.replace("_", "."): text for name, text in files.items()}
            container.put_archive("/etc/prometheus", archive({**own, **more}))
            container.start()
            status = container.wait(timeout=60)["StatusCode"]
            output: str = container.logs().decode()
        finally:
            container.remove(force=True, v=True)
        assert status == 0, output
        return output

    return run


@pytest.mark.parametrize("file", ["prometheus.yml", "kubernetes.yml"])
def test_the_configuration_is_accepted(promtool: Promtool, file: str) -> None:
    """With its rules, all of them."""
    found = promtool("check", "config", file)
    rules = yaml.safe_load((FOLDER / "rules" / "gateway.yml").read_text())
    count = sum(len(group["rules"]) for group in rules["groups"])
    assert f"{count} rules found" in found


def test_alerts_are_raised_when_they_shall_be(promtool: Promtool) -> None:
    """prometheus/tests/alerts.yml says by what; every alert is in it."""
    tests = yaml.safe_load((FOLDER / "tests" / "alerts.yml").read_text())["tests"]
    raised = {
        one["alertname"]
        for test in tests
        for one in test.get("alert_rule_test", ())
        if one["exp_alerts"]
    }
    rules = yaml.safe_load((FOLDER / "rules" / "gateway.yml").read_text())
    alerts = {
        rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule
    }
    assert raised == alerts
    promtool("test", "rules", "tests/alerts.yml")


def requests(service: str, values: str, code: int = 200) -> dict[str, str]:
    return _series("requests_total", values, service=service, code=code)


def buckets(service: str, **growth: int) -> list[dict[str, str]]:
    metric = "request_duration_seconds_bucket"
    bounds = {"fast": "0.1", "slow": "0.2", "all": "+Inf"}
    return [
        _series(metric, f"0+{by}x60", service=service, le=bounds[name])
        for name, by in growth.items()
    ]


def server(service: str, url: str, up: int) -> dict[str, str]:
    return _series("server_up", f"{up}x60", service=service, url=url)


def _series(metric: str, values: str, **labels: object) -> dict[str, str]:
    written = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return {"series": f"traefik_service_{metric}{{{written}}}", "values": values}


SERIES = [
    # Every 10 s: web has 10 by its labels and 5 under a pin, 3 of them errors; a pin of before.
    requests("web@docker", "0+10x60"),
    requests("web-a@file", "_x20 0+2x40"),
    requests("web-a@file", "_x20 0+3x40", code=502),
    requests("web-b@file", "0+7x10 stale"),
    # web-a is a service of its own, under a pin too; nobody asks idle anything any more.
    requests("web-a@docker", "0+100x60"),
    requests("web-a-b@file", "0+100x60"),
    requests("idle@docker", "7+0x60"),
    requests("api@internal", "0+1000x60"),
    # Half of web's take up to 100 ms, the rest up to 200 ms.
    *buckets("web@docker", fast=5, slow=10, all=10),
    *buckets("web-a@file", fast=5, slow=10, all=10),
    *buckets("web-a@docker", fast=0, slow=100, all=100),
    *buckets("idle@docker", fast=0, slow=0, all=0),
    # The pin checks server 1 anew and finds it down; web-a has one server of its own.
    server("web@docker", "http://1", 1),
    server("web@docker", "http://2", 1),
    server("web-a@file", "http://1", 0),
    server("web-a@docker", "http://3", 1),
]
"""What Prometheus has scraped of the gateway."""
ALL = pattern(["web", "web-a", "idle", "absent"])
EXPECTED: list[tuple[str, dict[str, float]]] = [
    (f"round({rps(ALL)}, 0.001)", {"web": 1.5, "web-a": 20, "idle": 0}),
    (f"round({rps()}, 0.001)", {"web": 1.5, "web-a": 20, "idle": 0}),
    (f"round({rps(pattern(['web']))}, 0.001)", {"web": 1.5}),
    (f"round({error_rate(ALL)}, 0.001) >= 0", {"web": 0.2, "web-a": 0}),
    (f"round({quantile(0.5, ALL)}, 0.001) >= 0", {"web": 0.1, "web-a": 0.15}),
    (f"round({quantile(0.95, ALL)}, 0.001) >= 0", {"web": 0.19, "web-a": 0.195}),
    (servers(ALL), {"web": 2, "web-a": 1}),
    (servers_up(ALL), {"web": 1, "web-a": 1}),
]


def test_queries_count_what_they_shall(promtool: Promtool) -> None:
    """Under a pin too; a service that is called like a pin is kept apart; no traffic is a rate of
    0, and neither an error share nor a latency."""

    def sample(name: str, value: float, **labels: str) -> dict[str, Any]:
        written = {"name": name, **labels}
        text = ",".join(f'{key}="{text}"' for key, text in written.items())
        return {"labels": f"{{{text}}}", "value": value}

    tests = [
        {
            "expr": expression,
            "eval_time": "9m",
            "exp_samples": [sample(name, value) for name, value in expected.items()],
        }
        for expression, expected in EXPECTED
    ]
    together = {
        "expr": f"count by (figure) ({traffic_query(['web'])})",
        "eval_time": "9m",
        "exp_samples": [
            {"labels": f'{{figure="{figure}"}}', "value": 1}
            for figure in (
                "rps",
                "p50_ms",
                "p95_ms",
                "p99_ms",
                "error_rate",
                "servers",
                "servers_up",
            )
        ],
    }
    file = {
        "rule_files": [],
        "evaluation_interval": "10s",
        "tests": [
            {"interval": "10s", "input_series": SERIES, "promql_expr_test": [*tests, together]}
        ],
    }
    promtool("test", "rules", "queries.yml", queries_yml=yaml.safe_dump(file))


def test_the_stack_mounts_what_was_tested() -> None:
    """The folder's configuration and rules, and not the tests."""
    stack = yaml.safe_load((REPOSITORY / "compose" / "stack.yaml").read_text())
    mounted = {volume.split(":")[0] for volume in stack["services"]["prometheus"]["volumes"]}
    assert {"../prometheus/prometheus.yml", "../prometheus/rules"} <= mounted
    assert Path(FOLDER, "tests").is_dir()
