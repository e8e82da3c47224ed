"""Grafana's dashboard is what its source says, and is made for reading."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from outside import module_at

from msctl.monitoring.queries import GUIDE, own_name

FOLDER = Path(__file__).parents[2] / "grafana"
COMMITTED = FOLDER / "dashboards" / "musicshare.json"


@pytest.fixture(scope="module")
def source() -> ModuleType:
    """grafana/dashboard.py, which is in no package."""
    return module_at(FOLDER / "dashboard.py")


def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(COMMITTED.read_text(encoding="utf-8"))
    return found


def panels() -> list[dict[str, Any]]:
    return [panel for panel in board()["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def test_the_committed_json_is_what_the_source_makes(source: ModuleType) -> None:
    """Whoever changes grafana/dashboard.py or a query makes it anew: make dashboards."""
    assert COMMITTED.read_text(encoding="utf-8") == source.text()


def test_it_is_the_one_dashboard_and_has_the_guides_uid() -> None:
    """Grafana shows whatever lies in the folder."""
    assert [path.name for path in (FOLDER / "dashboards").iterdir()] == [COMMITTED.name]
    assert board()["uid"] == "ms-trfk-lb-20251117"


def test_it_asks_the_guides_queries_to_the_letter() -> None:
    """All four."""
    assert set(GUIDE.values()) <= set(expressions())


def test_the_provisioned_source_is_the_one_that_it_asks() -> None:
    """By its uid; Prometheus as the stack's network names it."""
    text = (FOLDER / "provisioning" / "datasources" / "prometheus.yml").read_text(encoding="utf-8")
    [provisioned] = yaml.safe_load(text)["datasources"]
    assert provisioned["url"] == "http://prometheus:9090"
    wanted = {"type": provisioned["type"], "uid": provisioned["uid"]}
    asked = [*panels(), *board()["templating"]["list"]]
    assert [found["datasource"] for found in asked] == [wanted] * len(asked)


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: f"{panel['id']} {panel['title']}")
def test_a_panel_is_made_for_reading(panel: dict[str, Any]) -> None:
    """It says what it shows and in what unit, and names its lines."""
    assert len(panel["description"]) > 20
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"] in {"s", "reqps", "percentunit", "short"}
    assert defaults["noValue"]
    assert [target["refId"] for target in panel["targets"]] == ["A"]
    if panel["type"] == "timeseries":
        assert panel["options"]["legend"]["displayMode"] == "table"
        assert all(target["legendFormat"] != "__auto" for target in panel["targets"])


def test_the_layout_has_rows_and_no_overlaps() -> None:
    """Every panel has its place in the grid of 24 columns, and an id of its own."""
    found = board()["panels"]
    assert [panel["id"] for panel in found] == list(range(1, len(found) + 1))
    assert [panel["title"] for panel in found if panel["type"] == "row"] == [
        "Now",
        "The whole gateway",
        "Autoscaler",
        "By service: $service",
    ]
    places = [panel["gridPos"] for panel in found]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)


def test_what_is_by_service_follows_the_variable() -> None:
    """Each panel below the row, and it groups by the stack file's name."""
    found = board()["panels"]
    last_row = max(number for number, panel in enumerate(found) if panel["type"] == "row")
    for panel in found[last_row + 1 :]:
        for target in panel["targets"]:
            chosen = re.findall(
                r'service=~"\(\?:(.+?)\)\(\?:@docker\|-\[ab\]@file\)"', target["expr"]
            )
            assert chosen
            assert set(chosen) == {"$service"}
            assert target["legendFormat"] == "{{name}}"


@pytest.mark.parametrize(
    "label", ["web@docker", "web-a@file", "web-b@file", "web-a@docker", "web-a-b@file"]
)
def test_the_variable_offers_the_stack_files_names(label: str) -> None:
    """Its pattern, which is JavaScript's, takes the pin's slot off and nothing else."""
    [variable] = board()["templating"]["list"]
    found = re.search(variable["regex"].strip("/"), label)
    assert found is not None
    assert found[1] == own_name(label)


def test_the_variable_offers_no_service_of_the_gateways_own() -> None:
    """`api@internal` is none of the stack's."""
    [variable] = board()["templating"]["list"]
    assert re.search(variable["regex"].strip("/"), "api@internal") is None
    assert variable["includeAll"]
    assert variable["allValue"] == ".+"
