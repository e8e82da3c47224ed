"""`msctl add` at a terminal."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from terminal import SHOP, Terminal

import msctl
from msctl.config import load_text
from msctl.config.editing import with_service

MUSICSHARE = Path(msctl.__file__).parent.parent / "compose" / "stack.yaml"
SEARCH = ("--path", "/api/search", "--port", "8084", "--build", "./searchservice")


@pytest.fixture
def musicshare(terminal: Terminal) -> Terminal:
    """The real stack file, and a folder to build a new service from."""
    shutil.copy(MUSICSHARE, terminal.folder / "stack.yaml")
    sources = terminal.folder / "searchservice"
    sources.mkdir()
    (sources / "Dockerfile").write_text("FROM scratch\n")
    return terminal


def test_a_service_is_added_and_all_else_stays_as_it_is(musicshare: Terminal) -> None:
    """Behind the last routed service; every line that was there is there, in its order."""
    answer = musicshare.msctl("add", "searchservice", *SEARCH, "--strip", "--env", "PORT=8084")
    assert answer.status == 0
    added = [
        "  searchservice:",
        "    image: musicshare/searchservice:latest",
        "    build: ./searchservice",
        "    port: 8084",
        "    routes: [{path: /api/search, strip: true}]",
        "    env: {PORT: 8084}",
    ]
    assert answer.out.splitlines() == added
    before = MUSICSHARE.read_text().splitlines()
    after = (musicshare.folder / "stack.yaml").read_text().splitlines()
    last = next(at for at, line in enumerate(before) if "{SERVICE_NAME: frontend" in line) + 1
    assert after == [*before[:last], "", *added, *before[last:]]
    assert answer.lines == [
        f"searchservice is in stack.yaml:{last + 2}; to start it: msctl up searchservice"
    ]
    assert musicshare.msctl("check").status == 0


def test_a_folder_is_named_from_where_one_is(musicshare: Terminal) -> None:
    """`--build` starts at the working directory; the file gets the way from its own folder."""
    below = musicshare.folder / "compose"
    below.mkdir()
    shutil.move(musicshare.folder / "stack.yaml", below / "stack.yaml")
    answer = musicshare.msctl("add", "searchservice", *SEARCH)
    assert answer.status == 0
    assert "    build: ../searchservice\n" in (below / "stack.yaml").read_text()


def test_a_new_service_can_be_internal_have_a_host_and_replicas(terminal: Terminal) -> None:
    """Without a path the gateway never leads to it; more than ten replicas get their bound."""
    internal = ("add", "cache", "--image", "redis:7", "--replicas", "12")
    assert terminal.msctl(*internal).status == 0
    routed = ("add", "blog", "--image", "blog:1", "--port", "80", "--path", "/")
    assert terminal.msctl(*routed, "--host", "blog.example.org", "--health", "/up").status == 0
    text = (terminal.folder / "stack.yaml").read_text()
    stack = load_text(text, name="stack.yaml", environ={})
    assert stack.services["cache"].replicas.max == 12
    assert stack.services["blog"].routes[0].host == "blog.example.org"
    assert stack.services["blog"].health is not None
    assert list(stack.services) == ["web", "api", "blog", "db", "cache"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "web", "--image", "i"), "web is a service of stack.yaml already"),
        (
            ("add", "new", "--image", "i", "--port", "1", "--path", "/api"),
            "/api leads to api already",
        ),
        (("add", "new", "--build", "./nowhere"), "there is no folder nowhere"),
        (("add", "new", "--build", "."), "there is no Dockerfile in ."),
        (("add", "new"), "a service needs an image"),
        (("add", "new", "--image", "i", "--path", "/x"), "--path needs --port"),
        (("add", "new", "--image", "i", "--strip"), "--strip is about a route"),
        (("add", "New", "--image", "i"), "is not a name"),
        (("add", "traefik", "--image", "i"), "the name traefik is msctl's own"),
        (("add", "new", "--image", "i", "--port", "http"), "http is not a port"),
        (("add", "new", "--image", "i", "--port", "1", "--path", "x"), "is not a path"),
        (("add", "new", "--image", "i", "--env", "PORT"), "--env PORT has no value"),
        (("add", "new", "--image", "i", "--replicas", "0"), "not a number of replicas"),
        (("add", "a\nb", "--image", "i"), "'a\\nb' is not a name"),
        (("add", "new", "--image", "i\udcff"), "is not text in UTF-8"),
        (("add", "new", "--image", "i", "--env", "A=\udcff"), "is not text in UTF-8"),
    ],
)
def test_a_service_that_cannot_be_added_changes_nothing(
    terminal: Terminal, words: tuple[str, ...], told: str
) -> None:
    """Whatever is wrong is told, with exit status 2, and the file is byte for byte what it was."""
    answer = terminal.msctl(*words)
    assert answer.status == 2
    assert told in answer.err
    assert (terminal.folder / "stack.yaml").read_text() == SHOP


def test_a_file_with_errors_is_not_edited(terminal: Terminal) -> None:
    """Its errors are told, as by `check`."""
    terminal.write(SHOP.replace("port: 80\n", "port: no\n"))
    assert "services.web.port" in terminal.msctl("add", "new", "--image", "i").err


def test_a_link_to_the_stack_file_stays_one(terminal: Terminal) -> None:
    """What it leads to is edited."""
    (terminal.folder / "stack.yaml").rename(terminal.folder / "real.yaml")
    (terminal.folder / "stack.yaml").symlink_to("real.yaml")
    assert terminal.msctl("add", "new", "--image", "i").status == 0
    assert (terminal.folder / "stack.yaml").is_symlink()
    assert "new:" in (terminal.folder / "real.yaml").read_text()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("services:\n    a: &x\n       image: i", "services:\n    a: &x\n       image: i\n"
         "    n:\n       image: j\n"),
        ("services: {a: {image: i}} # c\n", "services: {a: {image: i}, n: {image: j}} # c\n"),
        ("services: {\n a: {image: i}, # c\n }\n",
         "services: {\n a: {image: i}, n: {image: j}, # c\n }\n"),
        ("services:\r\n  a: {image: i}\r\nname: p\r\n", "services:\r\n  a: {image: i}\r\n"
         "  n:\r\n    image: j\r\nname: p\r\n"),
        (
            "services:\n  a:\n    image: |\n      # i\n\n    # mine\n\n  # not mine\n\nname: p\n",
            "services:\n  a:\n    image: |\n      # i\n\n    # mine\n  n:\n    image: j\n"
            "\n  # not mine\n\nname: p\n",
        ),
        (
            "services:\n  a: {image: i}\n\n  b: {image: i}\n# end\n",
            "services:\n  a: {image: i}\n\n  b: {image: i}\n\n  n:\n    image: j\n# end\n",
        ),
    ],
)  # fmt: skip
def test_the_looks_of_a_file_are_kept(text: str, wanted: str) -> None:
    """Indentation, line ends, empty lines, braces, and comments where they belong."""
    edited = with_service(text, "n", {"image": "j"}, behind=lambda _: True)
    assert edited.text == wanted
    line = wanted.splitlines()[edited.line - 1]
    assert "n:" in line


NAMES = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True, min_size=1)
NOISE = st.sampled_from(["", "\n", "  # x\n", "    # y\n", "# z\n", "\n\n  # x\n\n"])


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_line_of_a_file_survives(data: st.DataObject) -> None:
    """What was there is there, in its order, whatever stands between the services."""
    blocks = [
        f"  {name}:\n    image: i\n" + data.draw(NOISE) for name in data.draw(NAMES, label="names")
    ]
    text = "name: p\n" + data.draw(NOISE) + "services:\n" + "".join(blocks)
    text += data.draw(st.sampled_from(["", "networks: [n]\n", "# end"]))
    chosen = data.draw(st.sampled_from(["a", "b", "none"]))
    edited = with_service(text, "new", {"image": "j"}, behind=lambda name: name == chosen)
    lines = iter(edited.text.splitlines())
    assert all(line in lines for line in text.splitlines())
    before = load_text(text, name="f", environ={}).services
    after = dict(load_text(edited.text, name="f", environ={}).services)
    assert after.pop("new").image == "j"
    assert after == before


ODD = """\
x-usual: &usual
    restart: always   # as all
    env: {A: b}
name: shop # the name
# over services
services:
    # of api
    api: {<<: *usual, image: "i", port: 80, routes: [/]} # inline
    "db":
        <<: *usual
        image: db
        stateful: true
        # the end of db

# the end
"""


def test_a_file_of_odd_looks_is_added_to(terminal: Terminal) -> None:
    """Anchors, merge keys, flow style, quoted names, comments at the end: each line that was there
    is there, and the result loads. A stateful service comes behind those of its kind."""
    terminal.write(ODD)
    words = (
        "--image",
        "q:1",
        "--stateful",
        "--volume",
        "data:/q",
        "--needs",
        "db",
        "--needs",
        "api",
    )
    answer = terminal.msctl("add", "queue", *words)
    assert answer.status == 0
    after = (terminal.folder / "stack.yaml").read_text()
    left = iter(after.splitlines())
    assert all(line in left for line in ODD.splitlines())
    stack = load_text(after, name="f", environ={})
    queue = stack.services["queue"]
    assert (queue.kind, queue.needs, queue.volumes) == ("stateful", ("db", "api"), ("data:/q",))
    assert list(stack.services) == ["api", "db", "queue"]


def test_a_value_is_what_was_given(terminal: Terminal) -> None:
    """No number, no line break of YAML; and a name that looks like a number is one, too."""
    values = {"C": "1e3", "D": "a\nb", "E": "ü\u2028x", "F": "007", "G": "yes", "H": ""}
    given = [word for name, value in values.items() for word in ("--env", f"{name}={value}")]
    assert terminal.msctl("add", "1", "--image", "i", *given).status == 0
    text = (terminal.folder / "stack.yaml").read_text("utf-8")
    assert dict(load_text(text, name="f", environ={}).services["1"].env) == values


def test_a_tab_that_the_file_may_have_is_told(terminal: Terminal) -> None:
    """The file is right, but cannot be edited."""
    terminal.write(SHOP.replace("port: 80", "port:\t80"))
    answer = terminal.msctl("add", "new", "--image", "i")
    assert answer.status == 2
    assert "is there a tab in it?" in answer.err


def test_what_a_new_service_needs_has_to_be_there(terminal: Terminal) -> None:
    """With the nearest name, and nothing is changed."""
    before = (terminal.folder / "stack.yaml").read_text()
    answer = terminal.msctl("add", "queue", "--image", "q:1", "--depends-on", "nowhere")
    assert answer.status == 2
    assert "nowhere is not a service of shop" in answer.err
    assert (terminal.folder / "stack.yaml").read_text() == before


EMPTY = [
    ("name: shop\nservices: {}\n", "name: shop\nservices:\n  web:\n    image: web:1\n"),
    (
        "name: shop\n\nservices: {}  # none yet\nnetworks: [a]\n",
        "name: shop\n\nservices:  # none yet\n  web:\n    image: web:1\nnetworks: [a]\n",
    ),
    (
        "services:  # none yet\n  # api: {image: a}\n\nname: shop",
        "services:  # none yet\n  web:\n    image: web:1\n  # api: {image: a}\n\nname: shop",
    ),
    ("services: ~\nname: shop\n", "services:\n  web:\n    image: web:1\nname: shop\n"),
    ("services: {\n}\nname: shop\n", "services:\n  web:\n    image: web:1\nname: shop\n"),
    ("name: shop\nservices:", "name: shop\nservices:\n  web:\n    image: web:1\n"),
    ("name: shop", "name: shop\n\nservices:\n  web:\n    image: web:1\n"),
    ("name: shop\r\nservices: {}\r\n", "name: shop\r\nservices:\r\n  web:\r\n    image: web:1\r\n"),
    ("{name: shop, services: {}}\n", "{name: shop, services: {web: {image: 'web:1'}}}\n"),
]


@pytest.mark.parametrize(("before", "after"), EMPTY)
def test_the_first_service_of_a_file_is_added(terminal: Terminal, before: str, after: str) -> None:
    """Whether `services` is empty, or says nothing, or is not there; comments stay."""
    file = terminal.folder / "stack.yaml"
    file.write_bytes(before.encode())
    answer = terminal.msctl("add", "web", "--image", "web:1")
    assert answer.status == 0, answer
    assert file.read_bytes().decode() == after
    assert terminal.msctl("check").status == 0
    line = next(n for n, text in enumerate(after.splitlines(), 1) if "web:" in text)
    assert answer.lines[0].startswith(f"web is in stack.yaml:{line}; ")
    assert terminal.msctl("add", "api", "--image", "api:1").status == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{name: shop}\n", "write services: {} where the service shall stand"),
        ("name: shop\nservices: []\n", "is not a mapping of names to services"),
        ("name: shop\nservices: web\n", "web is not a mapping of names to services"),
        ("services: {}\n", "name is missing"),
    ],
)
def test_a_file_that_cannot_take_a_first_service_is_left_alone(
    terminal: Terminal, text: str, message: str
) -> None:
    """And what is wrong in it is told."""
    file = terminal.write(text)
    answer = terminal.msctl("add", "web", "--image", "web:1")
    assert (answer.status, file.read_text()) == (2, text)
    assert message in answer.err
