"""Every PromQL expression that msctl uses, and what is read from the answers. Pure.

Traefik names a service NAME@docker, and NAME-a@file or NAME-b@file while a pin holds its traffic
(`msctl.render.traefik.pins`). A service may itself be called `web-a`: only of a name with `@file`
is the last part a slot. On Kubernetes it names one for each rule of a service's IngressRoutes,
NAMESPACE-NAME-route-DIGEST@kubernetescrd. What is grouped by service here has the label `name`, the
stack file's.

What is not known has no value: no series, or a division by no traffic at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msctl.state import Traffic

WINDOW = "1m"
"""What rates and quantiles of now are taken over.

Prometheus scrapes the gateway every 10 s and a rate needs two samples, so that a minute has five
intervals: it stays right where a scrape fails, and it still shows within a minute what changed.
It is the window of the guide's throughput too."""
WINDOW_SECONDS = 60
LOAD_WINDOW = "30s"
"""What autoscaling takes rates and latencies over: shorter, so that it follows a step of the load
soon, and still with two intervals of Prometheus's in it."""
ANY = ".+"
"""The pattern of every service."""

GUIDE: Mapping[str, str] = {
    "throughput": "sum(rate(traefik_entrypoint_requests_total[1m]))",
    "latency_p95": (
        "histogram_quantile(0.95, "
        "sum(rate(traefik_service_request_duration_seconds_bucket[5m])) by (le))"
    ),
    "server_errors": (
        'sum by(service) (increase(traefik_service_requests_total{code=~"5.."}[5m]))'
    ),
    "routers": "sum by(router) (rate(traefik_router_requests_total[1m]))",
}
"""The four queries that MusicShare's guide recommends, to the letter."""
SCRAPED = "count(traefik_config_reloads_total)"
"""Has a value where Prometheus has any numbers of a gateway, were there requests or not."""

REQUESTS = "traefik_service_requests_total"
BUCKETS = "traefik_service_request_duration_seconds_bucket"
_SERVER_UP = "traefik_service_server_up"
_OWN_NAME = r"(.+)@docker|(.+)-[ab]@file"
OF_RULES = r"-route-(?:internal-)?[0-9a-f]{20}@kubernetescrd"
"""What follows the service in Traefik's names on Kubernetes (3.7, tried)."""
FIGURE = "figure"
"""The label that tells apart what was asked together."""


@dataclass(frozen=True)
class Sample:
    """A value of now; None where there is none, such as a quantile without traffic."""

    labels: Mapping[str, str]
    value: float | None


@dataclass(frozen=True)
class Series:
    """Values of a time, by Unix seconds; what is not known is not in it."""

    labels: Mapping[str, str]
    points: Mapping[float, float]


# Expressions. `names` is a pattern (RE2): of services by `pattern`, or Grafana's variable.


def pattern(services: Iterable[str]) -> str:
    """A regular expression that matches exactly these names."""
    return "|".join(re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", name) for name in services)


@dataclass(frozen=True)
class Chosen:
    """Services, and where the gateway has them."""

    names: str = ANY
    """Their pattern."""
    namespace: str | None = None
    """Their namespace in a cluster; None where there is none."""

    @property
    def label(self) -> str:
        """The pattern of what the gateway calls them."""
        plain = f"(?:{self.names})(?:@docker|-[ab]@file)"
        if self.namespace is None:
            return plain
        return f"{plain}|{self.namespace}-(?:{self.names}){OF_RULES}"

    @property
    def own_name(self) -> str:
        """The pattern whose groups are the stack file's name."""
        if self.namespace is None:
            return _OWN_NAME
        return f"{_OWN_NAME}|{self.namespace}-(.+){OF_RULES}"

    @property
    def groups(self) -> str:
        return "$1$2" if self.namespace is None else "$1$2$3"


def _chosen(names: str | Chosen) -> Chosen:
    return Chosen(names) if isinstance(names, str) else names


def matcher(names: str | Chosen = ANY) -> str:
    """The label matcher of services, under a pin too."""
    return f"service=~{_quoted(_chosen(names).label)}"


def by_name(vector: str, names: str | Chosen = ANY) -> str:
    """The vector with the label `name`: the service of the stack file."""
    found = _chosen(names)
    return f'label_replace({vector}, "name", "{found.groups}", "service", "{found.own_name}")'


def rps(names: str | Chosen = ANY, window: str = WINDOW) -> str:
    """Requests a second, by name."""
    return f"sum by (name) ({by_name(_rate(REQUESTS, names, window), names)})"


def quantile(share: float, names: str | Chosen = ANY, window: str = WINDOW) -> str:
    """Seconds within which this share of the requests was answered, by name.

    It is interpolated within a bucket, and never more than the last bucket's bound.
    """
    buckets = by_name(_rate(BUCKETS, names, window), names)
    return f"histogram_quantile({share:g}, sum by (name, le) ({buckets}))"


def error_rate(names: str | Chosen = ANY, window: str = WINDOW) -> str:
    """The share of answers with a status of 500 or more, 0 to 1, by name.

    A service that never failed has no series of failures: its share is 0.
    """
    failed = by_name(_rate(REQUESTS, names, window, 'code=~"5.."'), names)
    everything = rps(names, window)
    return f"(sum by (name) ({failed}) or 0 * {everything}) / {everything}"


def servers(names: str | Chosen = ANY) -> str:
    """How many servers the gateway checks the health of, by name."""
    return f"count by (name) ({_servers(names)})"


def servers_up(names: str | Chosen = ANY) -> str:
    """How many of them answer, by name."""
    return f"sum by (name) ({_servers(names)})"


def _servers(names: str | Chosen) -> str:
    """1 or 0 of each server. A pin checks servers anew: what any check calls down is down."""
    return f"min by (name, url) ({by_name(f'{_SERVER_UP}{{{matcher(names)}}}', names)})"


def _rate(metric: str, names: str | Chosen, window: str, *more: str) -> str:
    return f"rate({metric}{{{', '.join([matcher(names), *more])}}}[{window}])"


def _quoted(text: str) -> str:
    """A string of PromQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# Several expressions in one query, so that one answer tells all


def together(expressions: Mapping[str, str]) -> str:
    """One query for all of them: every sample carries its expression's key as `figure`."""
    return " or ".join(
        f'label_replace({expression}, "{FIGURE}", "{key}", "", "")'
        for key, expression in expressions.items()
    )


def apart(samples: Iterable[Sample], figure: str) -> tuple[Sample, ...]:
    """The samples of one of the expressions that were asked together."""
    return tuple(sample for sample in samples if sample.labels.get(FIGURE) == figure)


def traffic_expressions(services: Sequence[str], namespace: str | None = None) -> dict[str, str]:
    """All that `Traffic` holds, of these services, by its fields; `namespace` is theirs in a
    cluster."""
    names = Chosen(pattern(services), namespace)
    return {
        **history_expressions(services, namespace),
        "p50_ms": f"1000 * {quantile(0.5, names)}",
        "p99_ms": f"1000 * {quantile(0.99, names)}",
        "servers": servers(names),
        "servers_up": servers_up(names),
    }


def history_expressions(services: Sequence[str], namespace: str | None = None) -> dict[str, str]:
    """What is worth seeing over time, of these services, by the fields of `Traffic`."""
    names = Chosen(pattern(services), namespace)
    return {
        "rps": rps(names),
        "p95_ms": f"1000 * {quantile(0.95, names)}",
        "error_rate": error_rate(names),
    }


def load_query(services: Sequence[str]) -> str:
    """What autoscaling asks of these services, in one query."""
    names = pattern(services)
    latency = f"1000 * {quantile(0.95, names, LOAD_WINDOW)}"
    expressions = {"rps": rps(names, LOAD_WINDOW), "p95_ms": latency, "scraped": SCRAPED}
    return together(expressions)


def read_load(samples: Iterable[Sample], services: Iterable[str]) -> dict[str, Traffic] | None:
    """The answer to `load_query`; None where Prometheus has no numbers of a gateway.

    A gateway that is scraped and does not mention a service had no requests for it.
    """
    samples = tuple(samples)
    if not apart(samples, "scraped"):
        return None
    found = read_traffic((s for s in samples if s.labels.get(FIGURE) != "scraped"), services)
    return {name: one if one.rps is not None else Traffic(rps=0.0) for name, one in found.items()}


def traffic_query(services: Sequence[str], namespace: str | None = None) -> str:
    """All that `Traffic` holds, of these services, in one query."""
    return together(traffic_expressions(services, namespace))


def read_traffic(samples: Iterable[Sample], services: Iterable[str]) -> dict[str, Traffic]:
    """The answer to `traffic_query`; a service that it does not mention is all unknown."""
    found: dict[str, dict[str, float | None]] = {name: {} for name in services}
    for sample in samples:
        own = found.get(sample.labels.get("name", ""))
        if own is not None:
            own[sample.labels[FIGURE]] = sample.value
    return {name: _traffic(figures) for name, figures in found.items()}


def _traffic(figures: Mapping[str, float | None]) -> Traffic:
    return Traffic(
        rps=figures.get("rps"),
        p50_ms=figures.get("p50_ms"),
        p95_ms=figures.get("p95_ms"),
        p99_ms=figures.get("p99_ms"),
        error_rate=figures.get("error_rate"),
        servers=_whole(figures.get("servers")),
        servers_up=_whole(figures.get("servers_up")),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def known(text: str) -> float | None:
    """A value as Prometheus writes it; NaN and the infinities are none."""
    value = float(text)
    return value if math.isfinite(value) else None


def own_name(label: str, namespace: str | None = None) -> str:
    """What the stack file calls a service or router: `web` of `web@docker` and `web-a@file`."""
    found = re.fullmatch(Chosen(namespace=namespace).own_name, label)
    return next(filter(None, found.groups()), label) if found else label
