"""Panels of a dashboard: a number, or lines over time, each out of a query."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models

SOURCE = models.DataSourceRef(type_val="prometheus", uid="prometheus")
"""As provisioning/datasources/prometheus.yml has it."""
OWN_NAME = r"/^(.+?)(?:@docker|-[ab]@file)$/"
"""JavaScript's form of what `queries.own_name` does: `web` of `web@docker`, `web-a@file`."""

Steps = Sequence[tuple[float | None, str]]


def query(expression: str, legend: str = "__auto") -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expression).legend_format(legend).range().ref_id("A")


def steps(found: Steps) -> dashboard.ThresholdsConfig:
    return (
        dashboard.ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=color) for value, color in found])
    )


def number(
    title: str, about: str, expression: str, unit: str, colors: Steps, decimals: int | None = None
) -> stat.Panel:
    """One number, with its course behind it."""
    panel = (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .with_target(query(expression))
        .unit(unit)
        .no_value("no traffic")
        .thresholds(steps(colors))
        .color_mode(kinds.BigValueColorMode.VALUE)
        .graph_mode(kinds.BigValueGraphMode.AREA)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .height(4)
        .span(4)
    )
    return panel if decimals is None else panel.decimals(decimals)


def lines(
    title: str, about: str, unit: str, *targets: prometheus.Dataquery, span: int = 12
) -> timeseries.Panel:
    """Lines over time, with what they were last and at the most in a table below."""
    legend = (
        common.VizLegendOptions()
        .display_mode(kinds.LegendDisplayMode.TABLE)
        .placement(kinds.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull", "max"])
        .sort_by("Last *")
        .sort_desc(True)
    )
    tooltip = (
        common.VizTooltipOptions()
        .mode(kinds.TooltipDisplayMode.MULTI)
        .sort(kinds.SortOrder.DESCENDING)
    )
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .no_value("no traffic")
        .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .line_width(2)
        .fill_opacity(8)
        .show_points(kinds.VisibilityMode.NEVER)
        .legend(legend)
        .tooltip(tooltip)
        .height(9)
        .span(span)
    )
    for target in targets:
        panel = panel.with_target(target)
    return panel


def limited(panel: timeseries.Panel, limit: float) -> timeseries.Panel:
    """With a dashed line at the value from which an alert is raised."""
    style = common.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(steps([(None, "green"), (limit, "red")])).thresholds_style(style)


def own_names(panel: timeseries.Panel) -> timeseries.Panel:
    """With the stack file's names in place of the gateway's."""
    return panel.with_transformation(
        models.DataTransformerConfig(
            id_val="renameByRegex",
            options={"regex": OWN_NAME, "renamePattern": "$1"},
        )
    )
