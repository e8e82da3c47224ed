"""`msctl import` at a terminal."""

from __future__ import annotations

import pytest
import yaml
from terminal import Terminal

from msctl.cli.commands.importing import project_name

COMPOSE = """\
services:
  web:
    image: web:1
    labels:
      - traefik.enable=true
      - traefik.http.routers.web.rule=Host(`${DOMAIN}`) && PathPrefix(`/app`)
      - traefik.http.services.web.loadbalancer.server.port=8000
    hostname: box
    links: [db]
    external_links: [old]
  db:
    image: db:1
    volumes: ["data:/data"]
"""
LOST = (
    "docker-compose.yml:10: services.web.external_links: not carried: only services of the stack "
    "are reached by a name"
)


@pytest.fixture
def project(terminal: Terminal) -> Terminal:
    """A folder with a Compose file, and no stack file."""
    (terminal.folder / "stack.yaml").unlink()
    terminal.write(COMPOSE, "docker-compose.yml")
    terminal.write("DOMAIN=example.org\n", ".env")
    return terminal


def test_a_compose_file_becomes_a_stack_file_beside_it(project: Terminal) -> None:
    """What is not carried is told, with its line, here and in the file; the file is right."""
    answer = project.msctl("import", "docker-compose.yml")
    assert answer.status == 0
    assert "stack.yaml is written: 2 services" in answer.lines
    assert answer.lines[-1] == "to see what it would do: msctl up --dry-run"
    assert LOST in answer.err
    text = (project.folder / "stack.yaml").read_text()
    assert f"#   {LOST}" in text
    web = yaml.safe_load(text)["services"]["web"]
    assert web["routes"] == [{"path": "/app", "host": "${DOMAIN}"}]
    assert web["x-compose"] == {"hostname": "box"}
    assert project.msctl("check").status == 0
    project.world.have("web:1", "db:1", "traefik:v3.7")
    assert project.msctl("up").status == 0
    assert project.msctl("routes", "--json").status == 0


def test_who_has_a_compose_file_is_told_what_takes_it_over(project: Terminal) -> None:
    """Where a stack file is looked for, and where the Compose file is taken for one."""
    takes = "`msctl import{}` makes one of {}"
    answer = project.msctl("up")
    assert answer.status == 2
    assert answer.lines[1].startswith(f"hint: {takes.format('', 'docker-compose.yml')}; -f FILE")
    project.write("services: {web: {image: w, environment: {A: b}, deploy: {}}}", "compose.yaml")
    answer = project.msctl("-f", "compose.yaml", "up")
    assert (answer.status, answer.lines) == (
        2,
        [
            "error: compose.yaml is a Compose file, not a stack file",
            f"hint: {takes.format(' compose.yaml', 'it')}",
        ],
    )
    project.write("services: {web: {imag: w}}", "compose.yaml")
    assert "did you mean 'image'" in project.msctl("-f", "compose.yaml", "up").err


def test_nothing_is_written_over(project: Terminal) -> None:
    """A file that exists stays, unless it is forced."""
    project.write("mine\n")
    answer = project.msctl("import", "docker-compose.yml")
    assert (answer.status, answer.lines[0]) == (
        2,
        "error: stack.yaml exists; nothing was changed",
    )
    assert (project.folder / "stack.yaml").read_text() == "mine\n"
    assert project.msctl("import", "docker-compose.yml", "--force").status == 0
    assert "web:1" in (project.folder / "stack.yaml").read_text()


def test_it_prints_too(project: Terminal) -> None:
    """With `-o -` data goes to stdout, and no file is made."""
    answer = project.msctl("import", "docker-compose.yml", "-o", "-", "-p", "bakery")
    assert answer.status == 0
    assert yaml.safe_load(answer.out)["name"] == "bakery"
    assert not (project.folder / "stack.yaml").exists()


def test_what_is_still_wrong_is_told(project: Terminal) -> None:
    """The file is written, so that it can be mended, and its problems are those of `check`."""
    project.write(COMPOSE.replace("web:1", "${IMAGE?name it}"), "docker-compose.yml")
    answer = project.msctl("import", "docker-compose.yml")
    assert answer.status == 2
    assert "services.web.image: variable IMAGE is not set: name it" in answer.err
    assert "stack.yaml is written, and wants a hand" in answer.err
    assert (project.folder / "stack.yaml").exists()


def test_a_rendered_file_comes_back(terminal: Terminal) -> None:
    """`render` and `import` are each other's reverse, as far as the engine sees."""
    before = terminal.msctl("render").out
    terminal.write(before, "docker-compose.yml")
    answer = terminal.msctl("import", "docker-compose.yml", "--force")
    assert (answer.status, "note" in answer.err) == (0, False)
    assert yaml.safe_load(terminal.msctl("render").out) == yaml.safe_load(before)


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        (None, ("import", "nowhere.yml"), "nowhere.yml: no such file"),
        ("a: [", ("import", "c.yml"), "c.yml:1: not valid YAML"),
        ("a: 1", ("import", "c.yml"), "it has no services"),
        ("services: {a: !secret {}}", ("import", "c.yml"), "tag '!secret' is not allowed"),
        ("services: {a: !reset {}}", ("import", "c.yml"), "it has no services"),
        (
            "services: {a: {image: i}}",
            ("import", "c.yml", "-o", "c.yml"),
            "the Compose file itself",
        ),
        ("services: {a: {image: i}}", ("import", "c.yml", "-o", "b/c.yml"), "there is no folder b"),
        ("services: {a: {image: i}}", ("import", "c.yml", "--json"), "no data to print as JSON"),
    ],
)
def test_what_cannot_be_imported_is_told(
    project: Terminal, text: str | None, words: tuple[str, ...], told: str
) -> None:
    """With exit status 2, and nothing is written."""
    if text is not None:
        project.write(text, "c.yml")
    answer = project.msctl(*words)
    assert answer.status == 2
    assert told in answer.err
    assert not (project.folder / "stack.yaml").exists()


def test_profiles_are_taken_in_when_they_are_asked_for(project: Terminal) -> None:
    """As `docker compose --profile` does."""
    project.write(COMPOSE + "  debug: {image: debug:1, profiles: [debug]}\n", "docker-compose.yml")
    project.msctl("import", "docker-compose.yml")
    assert "debug:1" not in (project.folder / "stack.yaml").read_text()
    project.msctl("import", "docker-compose.yml", "--profile", "debug", "--force")
    assert "debug:1" in (project.folder / "stack.yaml").read_text()


def test_without_a_file_it_is_what_docker_compose_takes(project: Terminal) -> None:
    """The usual names, with the file that wins over them; $COMPOSE_FILE and the project's name from
    `.env`."""
    over = 'services: {web: {image: !override web:2, ports: ["8000:8000"]}, db: !reset null}\n'
    project.write(over.replace("db", "gone"), "docker-compose.override.yml")
    project.write("DOMAIN=a.org\nCOMPOSE_PROJECT_NAME=bakery\n", ".env")
    answer = project.msctl("import")
    assert answer.status == 0
    data = yaml.safe_load((project.folder / "stack.yaml").read_text())
    assert (data["name"], data["services"]["web"]["image"]) == ("bakery", "web:2")
    assert data["services"]["web"]["ports"] == ["8000:8000"]
    project.write("DOMAIN=a.org\nCOMPOSE_FILE=docker-compose.yml\n", ".env")
    assert project.msctl("import", "--force").status == 0
    assert "web:1" in (project.folder / "stack.yaml").read_text()
    (project.folder / "docker-compose.yml").rename(project.folder / "mine.yml")
    project.write("DOMAIN=a.org\n", ".env")
    answer = project.msctl("import", "--force")
    assert (answer.status, answer.lines[0]) == (
        2,
        "error: there is no docker-compose.yml here, nor compose.yaml",
    )


def test_what_other_files_say_is_told_with_their_names(project: Terminal) -> None:
    """Included and extended files are taken in, their paths start where they lie, and what is not
    carried has the file and line where it is written."""
    more = "include: [infra/a.yml]\n" + COMPOSE + "  w: {extends: {file: b/c.yml, service: x}}\n"
    project.write(more, "docker-compose.yml")
    for name, text in (
        ("infra/a.yml", "services:\n  q:\n    image: q\n    external_links: [w]\n    build: .\n"),
        ("b/c.yml", "services:\n  x: {image: x, volumes: [./d:/d], network_mode: none}\n"),
    ):
        (project.folder / name).parent.mkdir()
        project.write(text, name)
    answer = project.msctl("import", "docker-compose.yml")
    assert answer.status == 0
    assert "note: infra/a.yml:4: services.q.external_links: not carried" in answer.err
    assert "note: b/c.yml:2: services.w.network_mode: not carried" in answer.err
    services = yaml.safe_load((project.folder / "stack.yaml").read_text())["services"]
    assert services["q"]["build"] == "./infra"
    assert services["w"]["volumes"] == ["./b/d:/d"]
    (project.folder / "infra" / "a.yml").write_text("services: [")
    answer = project.msctl("import", "docker-compose.yml", "--force")
    assert (answer.status, "infra/a.yml:1: not valid YAML" in answer.err) == (2, True)


def test_a_gateway_that_is_lost_is_told(project: Terminal) -> None:
    """Its routes were left out: nothing is reached as before."""
    rule = "traefik.http.routers.web.rule: PathPrefix(`/`)"
    guard = "traefik.http.routers.web.middlewares: login@file"
    port = "traefik.http.services.web.loadbalancer.server.port: 80"
    project.write(
        "services:\n  traefik: {image: 'traefik:v3.7'}\n"
        f"  web: {{image: w, labels: {{{rule}, {guard}, {port}}}}}\n",
        "docker-compose.yml",
    )
    answer = project.msctl("import", "docker-compose.yml")
    assert (
        "no route is left, so there is no gateway: nobody reaches what the file's Traefik led to\n"
        "where nobody has to be kept out, write under web: routes: [/]\n"
    ) in answer.err
    assert "as before" not in answer.err


def test_a_stack_without_routes_is_told_how_to_get_one(project: Terminal) -> None:
    """Somebody who comes with nginx and published ports has no labels to make routes of."""
    project.write("services: {web: {image: nginx, ports: ['8080:80']}}", "docker-compose.yml")
    answer = project.msctl("import", "docker-compose.yml")
    assert "no service has a route, so there is no gateway: each is reached as before" in answer.err
    assert "write in place of web's ports: port: 80, routes: [/]" in answer.err


def test_the_projects_name_is_docker_composes() -> None:
    """Of a folder's name it drops what a project's name cannot have; volumes are found by it."""
    assert [project_name(name) for name in ("My.App", "_x-1", "Ünï")] == ["myapp", "x-1", "n"]


def test_what_stands_in_the_file_is_written_beside_the_stack_file(project: Terminal) -> None:
    """A config for everybody to read, a secret in a folder of the user's alone; neither over
    something else, and nothing where the stack file is only printed."""
    inline = """\
services: {web: {image: web:1, configs: [site], secrets: [token]}}
configs: {site: {content: "a=1"}}
secrets: {token: {environment: TOKEN}}
"""
    project.write(inline, "docker-compose.yml")
    project.write("TOKEN=a-token\n", ".env")
    printed = project.msctl("import", "-o", "-")
    assert "with -o - these are not written: ./configs/site, ./.msctl/secrets/token" in printed.err
    assert not (project.folder / "configs").exists()
    answer = project.msctl("import")
    assert answer.status == 0
    config = project.folder / "configs" / "site"
    secret = project.folder / ".msctl" / "secrets" / "token"
    assert (config.read_text(), config.stat().st_mode & 0o777) == ("a=1", 0o644)
    assert (secret.read_text(), secret.parent.stat().st_mode & 0o777) == ("a-token", 0o700)
    assert "a-token" not in answer.err + (project.folder / "stack.yaml").read_text()
    (project.folder / "stack.yaml").unlink()
    config.write_text("mine")
    refused = project.msctl("import")
    assert refused.status == 2
    assert "./configs/site exists, and says something else; nothing was changed" in refused.err
    assert not (project.folder / "stack.yaml").exists()
    assert project.msctl("import", "--force").status == 0
    assert config.read_text() == "a=1"


def test_a_file_of_which_nothing_is_started_is_told(project: Terminal) -> None:
    """With the profile that would."""
    project.write("services: {web: {image: web:1, profiles: [dev]}}\n", "docker-compose.yml")
    answer = project.msctl("import")
    assert answer.status == 2
    assert "no service of docker-compose.yml is one for a stack file" in answer.err
    assert "taken in with --profile dev" in answer.err
    assert not (project.folder / "stack.yaml").exists()
    assert project.msctl("import", "--profile", "dev").status == 0


def test_what_lies_beside_the_file_is_not_written_through_a_link(project: Terminal) -> None:
    """A repository that was cloned may hold one, which leads to the keys of whoever imports."""
    home = project.folder / "home"
    home.mkdir()
    (project.folder / "configs").symlink_to("home")
    text = "services: {a: {image: b, configs: [authorized_keys]}}\n"
    config = "configs: {authorized_keys: {content: mine}}\n"
    project.write(text + config, "docker-compose.yml")
    answer = project.msctl("import")
    assert answer.status == 2
    assert "error: configs is a link; nothing was changed" in answer.err
    assert list(home.iterdir()) == []
    assert not (project.folder / "stack.yaml").exists()


def test_names_with_escapes_paint_nothing_in_the_file(project: Terminal) -> None:
    """Nor on the terminal that it is printed on; YAML takes no such character, in comments too."""
    project.write('services: {"a\\e[2J": {image: b, "k\\e[0m": 1}}\n', "docker-compose.yml")
    answer = project.msctl("import", "-o", "-")
    assert answer.status == 0
    assert "\x1b" not in answer.out + answer.err
    yaml.safe_load(answer.out)
