"""Grafana's dashboard of the gateway: `make dashboards` writes it to dashboards/musicshare.json.

It is made with Grafana's own types (grafana-foundation-sdk) and of the expressions that msctl asks
itself (`msctl.monitoring.queries`), so that both tell the same. A test keeps the committed JSON
equal to it.
"""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models
from panels import OWN_NAME, SOURCE, limited, lines, number, own_names, query

from msctl.monitoring.queries import ANY, GUIDE, error_rate, quantile, rps, servers, servers_up

UID = "ms-trfk-lb-20251117"
"""As MusicShare's guide has it."""
FILE = Path(__file__).parent / "dashboards" / "musicshare.json"
SERVICE = "$service"
WINDOW = "$__rate_interval"
"""Grafana's own: four scrapes at the least, more where the panel shows more time."""
SLOW, FAILING = 0.5, 0.05
"""Seconds and share at which prometheus/rules raise an alert."""


def now(board: dashboard.Dashboard) -> None:
    """What one looks at first."""
    board.with_row(dashboard.Row("Now"))
    board.with_panel(
        number(
            "Gateway",
            "Whether Prometheus can read the gateway's numbers.",
            'min(up{job="traefik"})',
            "short",
            [(None, "red"), (1, "green")],
        )
        .graph_mode(kinds.BigValueGraphMode.NONE)
        .no_value("unknown")
        .mappings(
            [
                models.ValueMap(
                    options={
                        "0": models.ValueMappingResult(text="down", color="red"),
                        "1": models.ValueMappingResult(text="up", color="green"),
                    }
                )
            ]
        )
    )
    board.with_panel(
        number(
            "Requests",
            "Requests a second over all entry points.",
            GUIDE["throughput"],
            "reqps",
            [(None, "blue")],
        )
    )
    board.with_panel(
        number(
            "95th percentile",
            "95 of 100 requests of the last 5 minutes were answered faster.",
            GUIDE["latency_p95"],
            "s",
            [(None, "green"), (SLOW / 2, "yellow"), (SLOW, "red")],
        )
    )
    failed = 'sum(rate(traefik_service_requests_total{code=~"5.."}[5m])) or vector(0)'
    board.with_panel(
        number(
            "Server errors",
            "Share of the answers of the last 5 minutes that were 5xx.",
            f"({failed}) / sum(rate(traefik_service_requests_total[5m]))",
            "percentunit",
            [(None, "green"), (0.001, "yellow"), (FAILING, "red")],
        )
    )
    board.with_panel(
        number(
            "Servers down",
            "Replicas that fail the gateway's health check: it sends them no traffic.",
            f"sum({servers()}) - sum({servers_up()})",
            "short",
            [(None, "green"), (1, "red")],
            0,
        ).no_value("unknown")
    )
    board.with_panel(
        number(
            "Alerts",
            "Alerts that fire now (prometheus/rules).",
            'count(ALERTS{alertstate="firing"}) or vector(0)',
            "short",
            [(None, "green"), (1, "red")],
            0,
        )
    )


def gateway(board: dashboard.Dashboard) -> None:
    """The four queries of MusicShare's guide, to the letter."""
    board.with_row(dashboard.Row("The whole gateway"))
    board.with_panel(
        lines(
            "Throughput",
            "Requests a second over all entry points.",
            "reqps",
            query(GUIDE["throughput"], "requests"),
        )
    )
    board.with_panel(
        limited(
            lines(
                "Latency, 95th percentile",
                "95 of 100 requests were answered faster, whatever the service; over 5 minutes.",
                "s",
                query(GUIDE["latency_p95"], "p95"),
            ),
            SLOW,
        )
    )
    board.with_panel(
        own_names(
            lines(
                "Server errors by service",
                "Answers with a status of 500 or more in the last 5 minutes.",
                "short",
                query(GUIDE["server_errors"], "{{service}}"),
            ).no_value("none")
        )
    )
    board.with_panel(
        own_names(
            lines(
                "Requests by router",
                "Requests a second of each route; the routers of a pin carry its route's name.",
                "reqps",
                query(GUIDE["routers"], "{{router}}"),
            )
        )
    )


def autoscaler(board: dashboard.Dashboard) -> None:
    """What the stack's autoscaler decides; empty where it has none."""
    board.with_row(dashboard.Row("Autoscaler"))
    for title, about, metric, legend, unit in (
        ("Wanted replicas", "What the load asks for.", "wanted_replicas", "{{service}}", "short"),
        (
            "Current replicas",
            "What the service shall have, by the autoscaler or by hand.",
            "current_replicas",
            "{{service}}",
            "short",
        ),
        (
            "CPU by replica",
            "Of the reservation, else of the limit: what cpu in autoscale is held against.",
            "cpu_ratio",
            "{{replica}}",
            "percentunit",
        ),
    ):
        target = query(f"msctl_autoscaler_{metric}", legend)
        board.with_panel(
            lines(title, about, unit, target, span=8)
            .line_interpolation(kinds.LineInterpolation.STEP_AFTER)
            .no_value("no autoscaler")
        )


def services(board: dashboard.Dashboard) -> None:
    """The services that were chosen above, each a line."""
    board.with_row(dashboard.Row("By service: $service"))
    board.with_panel(
        lines(
            "Requests",
            "Requests a second of each service, those under a pin among them.",
            "reqps",
            query(rps(SERVICE, WINDOW), "{{name}}"),
        )
    )
    board.with_panel(
        limited(
            lines(
                "Server errors",
                "Share of the answers that were 5xx. The dashed line is where an alert is raised.",
                "percentunit",
                query(error_rate(SERVICE, WINDOW), "{{name}}"),
            ).axis_soft_max(2 * FAILING),
            FAILING,
        )
    )
    for share, title, about in (
        (0.5, "Median latency", "Half of the requests were answered faster."),
        (0.95, "95th percentile", "95 of 100 requests were answered faster."),
        (0.99, "99th percentile", "99 of 100 requests were answered faster."),
    ):
        target = query(quantile(share, SERVICE, WINDOW), "{{name}}")
        panel = lines(
            title, f"{about} Interpolated between the histogram's buckets.", "s", target, span=8
        )
        board.with_panel(limited(panel, SLOW) if share == 0.95 else panel)
    board.with_panel(
        lines(
            "Servers up",
            "Replicas that the gateway sends traffic to, because their health check succeeds.",
            "short",
            query(servers_up(SERVICE), "{{name}}"),
        )
        .decimals(0)
        .line_interpolation(kinds.LineInterpolation.STEP_AFTER)
        .fill_opacity(0)
        .no_value("no health check")
    )
    board.with_panel(
        lines(
            "Servers down",
            "Replicas whose health check fails: the gateway sends them no traffic.",
            "short",
            query(f"{servers(SERVICE)} - {servers_up(SERVICE)}", "{{name}}"),
        )
        .decimals(0)
        .axis_soft_max(2)
        .line_interpolation(kinds.LineInterpolation.STEP_AFTER)
        .no_value("no health check")
    )


def build() -> models.Dashboard:
    """The whole dashboard."""
    variable = (
        dashboard.QueryVariable("service")
        .label("Service")
        .description("Services of the stack file; under a pin their traffic counts as well.")
        .datasource(SOURCE)
        .query(
            "label_values("
            '{__name__=~"traefik_service_requests_total|traefik_service_server_up"}, service)'
        )
        .regex(OWN_NAME)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(ANY)
        .current(models.VariableOption(selected=True, text="All", value="$__all"))
    )
    board = (
        dashboard.Dashboard("MusicShare: traffic and load balancing")
        .uid(UID)
        .description("What the gateway had to do, from Traefik's metrics in Prometheus.")
        .tags(["musicshare", "traefik"])
        .timezone("browser")
        .time("now-15m", "now")
        .refresh("10s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .version(1)
        .with_variable(variable)
    )
    for part in (now, gateway, autoscaler, services):
        part(board)
    found = board.build()
    for number_of_panel, panel in enumerate(found.panels or (), 1):
        panel.id_val = number_of_panel
    return found


def text() -> str:
    """Its JSON, as it is committed."""
    return json.dumps(build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"
