"""Compose files put together of several, against what the real Docker Compose makes of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from corpus import COMPOSE

from msctl.importing import BrokenFile, Composed, composed
from msctl.render.document import dump

MAIN = ("docker-compose.yml", "docker-compose.override.yml")
FILES = {
    "docker-compose.yml": """
include:
  - infra/compose.yml
  - path: [mon/a.yml, mon/b.yml]
    env_file: mon/x.env
x-base: &base
  restart: always
  environment: &env
    A: "1"
services:
  web:
    <<: *base
    extends: {file: common/base.yml, service: app}
    command: serve
    ports: ["8080:80", "443:443"]
    volumes: ["./src:/app", "cache:/cache"]
    depends_on: [db]
  worker:
    extends: web
    command: !override ["work"]
    ports: !reset []
    environment: {Z: "9"}
volumes: {cache: {}}
""",
    "docker-compose.override.yml": """
services:
  web:
    build: {args: {V: "2"}}
    environment: [B=2, A=3]
    command: ["debug"]
    ports: ["127.0.0.1:8080:80", "9229:9229"]
    volumes: ["./other:/app:ro"]
    depends_on: {redis: {condition: service_healthy}}
    labels: {x: y}
  redis: {image: redis, healthcheck: {test: [CMD, a]}}
""",
    "common/base.yml": """
services:
  root: {image: "app:${TAG:-1}", env_file: common.env, healthcheck: {test: "true", retries: 2}}
  app:
    extends: root
    build: .
    volumes: ["./conf:/conf:ro", {type: bind, source: ./long, target: /long}]
    environment: {BASE: yes it is}
    healthcheck: {interval: 5s}
    labels: [a=b]
    expose: ["80"]
""",
    "common/common.env": "FROM=common\n",
    "common/conf/x": "",
    "infra/compose.yml": """
include: [deeper/d.yml]
services:
  db: {image: "postgres:${PGV}", volumes: ["./data:/d", "pg:/v"], secrets: [s], env_file: [a.env]}
volumes: {pg: {}}
secrets: {s: {file: ./s.txt}}
""",
    "infra/.env": "PGV=15\n",
    "infra/a.env": "X=1\n",
    "infra/s.txt": "x",
    "infra/deeper/d.yml": "services:\n  deep: {image: d, volumes: ['./q:/q'], build: ./ctx}\n",
    "mon/a.yml": """
services:
  mon: {image: 'm:${MV}', volumes: ['./m:/m'], networks: [n], environment: {COST: '5$$'}}
networks: {n: {}}
""",
    "mon/b.yml": """
services:
  mon: {networks: {n: {aliases: [z]}, default: null}, logging: {driver: none}}
""",
    "mon/x.env": "MV=7\n",
}


def put_together(
    files: Mapping[str, str], *main: str, environ: Mapping[str, str] | None = None
) -> Composed:
    def read(name: str) -> bytes:
        if name not in files:
            raise FileNotFoundError(2, "No such file or directory", name)
        return files[name].encode()

    return composed(main or ("main.yml",), read, (environ or {}).get)


def told(found: Composed) -> list[str]:
    return [note.text("main.yml") for note in found.lost]


def of_docker_compose(folder: Path, *files: str) -> dict[str, Any]:
    """The whole project, with every short form written out."""
    options = [word for file in files for word in ("-f", file)]
    ran = subprocess.run(
        [COMPOSE, "-p", "p", *options, "config", "--format", "json"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": "/home/op"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_docker_compose_makes_the_same_of_one_file_as_of_many(tmp_path: Path) -> None:
    """Overrides, `extends` over files, `include` within `include`, `!reset`, `!override`, merge
    keys, `.env` and files of variables of included folders, short and long forms."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = put_together(FILES, *MAIN)
    (tmp_path / "one.yml").write_text(dump(found.document.value))
    assert of_docker_compose(tmp_path, "one.yml") == of_docker_compose(tmp_path, *MAIN)
    assert found.lost == ()


def test_every_value_knows_where_it_is_written() -> None:
    """In the file and line of the one that won."""
    found = put_together(FILES, *MAIN)
    lines, files = found.document.lines, found.files
    ports = ("services", "web", "ports", 0)
    assert (lines[ports], ports in files) == (15, False)
    image = ("services", "web", "image")
    assert (files[image], lines[image]) == ("common/base.yml", 3)
    assert files["services", "redis"] == "docker-compose.override.yml"
    assert files["services", "deep", "build"] == "infra/deeper/d.yml"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (
            {"main.yml": "services: {a: {extends: b}, b: {extends: a, image: i}}"},
            [
                "main.yml:1: services.a.extends: not carried: it extends itself",
                "main.yml:1: services.b.extends: not carried: it extends itself",
            ],
        ),
        (
            {"main.yml": "services:\n  a:\n    extends: {service: gone}\n    image: i\n"},
            ["main.yml:3: services.a.extends: not carried: there is no service gone in main.yml"],
        ),
        (
            {
                "main.yml": "include: [b/c.yml, gone.yml, 'https://a.org/c.yml']\nservices: {}",
                "b/c.yml": "include: [../main.yml]\nservices: {}",
            },
            [
                "b/c.yml:1: include: not carried: main.yml includes itself",
                "main.yml:1: include: not carried: gone.yml: no such file or directory",
                "main.yml:1: include: not carried: only files of this machine are taken in",
            ],
        ),
        (
            {
                "main.yml": "include: c.yml\nservices: {a: {image: i}}",
                "c.yml": "services: {a: {image: j}, b: {image: k}}",
            },
            ["c.yml:1: services.a: not carried: it is defined here, too, and this one is taken"],
        ),
    ],
)
def test_what_cannot_be_taken_in_is_told(files: dict[str, str], wanted: list[str]) -> None:
    """With file and line; the rest stays."""
    found = put_together(files)
    assert told(found) == wanted
    assert "services" in found.document.value


def test_a_broken_file_is_told_by_its_name() -> None:
    """Nothing is made of the rest."""
    files = {"main.yml": "include: b.yml\nservices: {}", "b.yml": "services: ["}
    with pytest.raises(BrokenFile) as caught:
        put_together(files)
    assert caught.value.file == "b.yml"
    assert "not valid YAML" in caught.value.problems[0].message
