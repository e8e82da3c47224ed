"""A Compose file with Traefik's labels, taken over while it runs."""

from __future__ import annotations

import json

import pytest
from live import SAMPLE, Stack

pytestmark = pytest.mark.engine

COMPOSE = """\
name: {project}
services:
  proxy:
    image: traefik:v3.7
    command: [--entrypoints.web.address=:80, --providers.docker=true, --api.insecure=true]
    ports: ["127.0.0.1:{http}:80", "127.0.0.1:{dashboard}:8080"]
    volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]
  web:
    image: {image}
    container_name: {project}-the-web
    hostname: box
    shm_size: 32m
    ulimits: {{nofile: 4096}}
    devices: ["/dev/null:/dev/nothing:r"]
    sysctls: {{net.core.somaxconn: 512}}
    extra_hosts: ["nowhere:192.0.2.1"]
    init: true
    environment: {{PORT: 8000}}
    labels:
      - traefik.enable=true
      - traefik.http.routers.web.rule=PathPrefix(`/app`)
      - traefik.http.routers.web.entrypoints=web
      - traefik.http.routers.web.middlewares=strip
      - traefik.http.middlewares.strip.stripprefix.prefixes=/app
      - traefik.http.services.web.loadbalancer.server.port=8000
  store:
    image: {image}
    environment: {{PORT: 8000}}
    volumes: ["data:/data", "/unnamed"]
volumes:
  data:
"""


@pytest.mark.soak
def test_a_running_compose_project_is_taken_over(stack: Stack) -> None:
    """Its volumes stay, the gateway takes the place of its Traefik, its routes answer, the engine
    has what `x-compose` says, and then Compose finds nothing to change in what msctl made."""
    text = COMPOSE.format(
        project=stack.project, http=stack.http, dashboard=stack.dashboard, image=SAMPLE
    )
    (stack.folder / "docker-compose.yml").write_text(text)
    stack.compose("up", "-d")
    write = "echo kept | tee /data/note /unnamed/note"
    stack.compose("exec", "-T", "-u", "0", "store", "sh", "-c", write)
    imported = stack.ok("import", "docker-compose.yml")
    assert "where proxy runs, it holds the ports: msctl up --remove-orphans" in imported.err
    stack.ok("up", "--remove-orphans")
    assert stack.visitor.get("/app/echo").status_code == 200
    (web,) = stack.ids("web")
    found = stack.inspect(web)
    host = found["HostConfig"]
    assert (found["Config"]["Hostname"], host["ShmSize"], host["Init"]) == ("box", 2**25, True)
    assert host["Devices"][0]["PathInContainer"] == "/dev/nothing"
    assert host["Ulimits"] == [{"Name": "nofile", "Hard": 4096, "Soft": 4096}]
    assert host["Sysctls"] == {"net.core.somaxconn": "512"}
    assert host["ExtraHosts"] == ["nowhere:192.0.2.1"]
    aliases = found["NetworkSettings"]["Networks"][f"{stack.project}_default"]["Aliases"]
    assert f"{stack.project}-the-web" in aliases
    stack.ok("render", "compose", "-o", "rendered.yml")
    before = stack.ids()
    stack.compose("-f", "rendered.yml", "up", "-d")
    assert stack.ids() == before
    read = ("exec", "-T", "store", "cat", "/data/note", "/unnamed/note")
    assert stack.compose("-f", "rendered.yml", *read).out == "kept\nkept\n"
    assert json.loads(stack.ok("status", "--json").out)["healthy"] is True
