"""Where a Compose file puts all into one network, the stack keeps the gateway from what it does not
lead to."""

from __future__ import annotations

from taking import loaded, taken, told

LABELS = 'labels: ["traefik.http.routers.w.rule=Host(`a.org`)"], expose: [80]'
FILE = f"""\
services:
  traefik: {{image: "traefik:v3.7", ports: ["80:80"]}}
  web: {{image: web, {LABELS}}}
  worker: {{image: worker}}
  db: {{image: "postgres:15", volumes: ["data:/var/lib/postgresql/data"]}}
  metrics: {{image: "prom/prometheus:v3"}}
volumes: {{data: {{}}}}
"""


def test_what_has_no_route_shares_no_network_with_the_gateway() -> None:
    """All stay in Compose's `default`, so that a database is not replaced; Prometheus asks the
    gateway, and is told of."""
    found = taken(FILE)
    stack = loaded(found)
    assert {name: stack.networks_of(service) for name, service in stack.services.items()} == {
        "web": ("gateway", "default"),
        "worker": ("default",),
        "db": ("default",),
        "metrics": ("default", "gateway"),
    }
    message = "the gateway is in network gateway, with what it leads to and metrics"
    assert message in told(found)


def test_networks_that_the_file_names_stay_as_they_are() -> None:
    """One that is called `gateway` is theirs: nobody joins it who was not in it."""
    front = FILE.replace("{image: web,", "{image: web, networks: [front],")
    stack = loaded(taken(f"{front}networks: {{front: {{}}}}\n"))
    assert stack.networks_of(stack.services["web"]) == ("front",)
    assert "gateway" not in stack.networks
    theirs = FILE.replace("{image: worker}", "{image: worker, networks: [gateway]}")
    stack = loaded(taken(f"{theirs}networks: {{gateway: {{}}}}\n"))
    assert stack.networks_of(stack.services["web"]) == ("default",)
    assert stack.networks_of(stack.services["worker"]) == ("gateway",)


def test_a_file_without_routes_has_no_such_network() -> None:
    """There is no gateway, then."""
    stack = loaded(taken("services: {a: {image: i}, b: {image: i}}\n"))
    assert stack.networks == ("default",)
