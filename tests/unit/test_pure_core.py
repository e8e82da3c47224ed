"""Which module may import what: the core is pure, and each effect has one home."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import msctl

ROOT = Path(msctl.__file__).parent
PURE_OF_AN_ENGINE = ("planning", "body")
"""Folders of an engine; pure are also the words that all its folders speak, which stand beside."""
JOINTS = {"engine", "work", "secrets"}
"""What joins an engine's folders, and so their effects."""
PURE = (
    "assessment", "autoscale", "doctor", "fields", "importing", "loadtest", "model", "records",
    "render", "state",
)  # fmt: skip
"""Folders without an effect."""
PURE_MODULES = (
    "addresses", "plan", "spelling", "variables", "views", "words",
    "config.editing", "engines.secretsteps",
    "monitoring.exposition", "monitoring.metrics", "monitoring.queries",
)  # fmt: skip
EFFECTS = {
    "aiohttp", "asyncio", "bcrypt", "click", "cryptography", "docker", "httpx",
    "kubernetes", "os", "pathlib", "psutil", "random",
    "requests", "rich", "secrets",
    "shutil", "socket", "subprocess", "tempfile", "threading", "time", "urllib", "urllib3",
}  # fmt: skip
HARMLESS = {"urllib.parse"}
"""Parts of them without an effect."""
HOMES = {
    "rich": set(),
    "docker": {"msctl.engines.compose.api.sdk"},
    "requests": {"msctl.engines.compose.api.sdk", "msctl.engines.compose.api.sshadapter"},
    "httpx": set(),
    "kubernetes": {"msctl.engines.kubernetes.api.sdk"},
    "aiohttp": {"msctl.loadgen.sender"},
    "asyncio": {"msctl.loadgen.lanes", "msctl.loadgen.sender"},
    "hdrh": {"msctl.loadtest.statistics"},
    "bcrypt": {"msctl.files.passwords"},
    "cryptography": set(),
    "yaml": {
        "msctl.render.document",
        "msctl.cli.complete",
        "msctl.engines.kubernetes.api.kubeconfig",  # a broken kubeconfig
    },
    "filelock": {"msctl.files.lock"},
    "prometheus_client": {"msctl.monitoring.exporter"},
    "sparklines": {"msctl.ui"},
    "psutil": {"msctl.engines.compose.observing.hostports", "msctl.files.lock"},
}
"""The only modules that may import a library; packages count with all that is in them."""
HOME_PACKAGES = {
    "yaml": "msctl.config.",
    "cryptography": "msctl.tls.",
    "rich": "msctl.ui",
    "psutil": "msctl.engines.compose.",
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@cache
def imports(module: str) -> frozenset[str]:
    """The modules that a module imports when it runs, wherever in it the import stands."""
    found: set[str] = set()
    todo: list[ast.AST] = [tree(module)]
    while todo:
        node = todo.pop()
        if is_for_types(node):
            continue
        todo += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            assert node.level == 0, f"{module}: relative import"
            names = {f"{base}.{alias.name}" for alias in node.names}
            submodules = {name for name in names if name in MODULES}
            # `from package import module` needs the module, not what else the package brings.
            found |= submodules
            if submodules != names:
                found.add(base)
    return frozenset(found)


def reach(module: str) -> dict[str, str]:
    """All that a module imports, directly or not, and by way of which module of msctl."""
    found: dict[str, str] = {}
    todo = [module]
    while todo:
        current = todo.pop()
        for name in imports(current):
            if name not in found:
                found[name] = current
                if name in MODULES:
                    todo.append(name)
    return found


def calls_itself_pure(module: str) -> bool:
    """Its docstring says `Pure.`, or `Pure: …` with what is passed in."""
    return re.search(r"\bPure[.:]", ast.get_docstring(tree(module)) or "") is not None


def is_pure_of_an_engine(module: str) -> bool:
    match module.split("."):
        case ["msctl", "engines", _, name]:
            is_folder = MODULES[module].name == "__init__.py"
            return name not in JOINTS and (not is_folder or name in PURE_OF_AN_ENGINE)
        case ["msctl", "engines", _, folder, *_]:
            return folder in PURE_OF_AN_ENGINE
    return False


def pure_modules() -> list[str]:
    folders = tuple(f"msctl.{name}." for name in PURE)
    named = {f"msctl.{name}" for name in (*PURE, *PURE_MODULES)}
    assert named <= MODULES.keys()
    return [
        module
        for module in MODULES
        if module in named
        or module.startswith(folders)
        or is_pure_of_an_engine(module)
        or calls_itself_pure(module)
    ]


@pytest.mark.parametrize("module", pure_modules())
def test_the_core_reaches_no_effect(module: str) -> None:
    """Model, state, plans, rendering and planners import no clock, disk, network or terminal."""
    by_way_of = reach(module)
    effects = {name for name in by_way_of if name.partition(".")[0] in EFFECTS} - HARMLESS
    guilty = {name: by_way_of[name] for name in effects}
    assert guilty == {}


@pytest.mark.parametrize("library", HOMES)
def test_an_effect_has_one_home(library: str) -> None:
    """Each library with an effect is imported by its own module, so that another can replace it."""
    users = {
        module
        for module in MODULES
        if any(name.partition(".")[0] == library for name in imports(module))
    }
    package = HOME_PACKAGES.get(library, "\0")
    assert {user for user in users if not user.startswith(package)} <= HOMES[library]


LAYERS = [
    ("msctl.execute", ("msctl.engines", "msctl.cli", "msctl.render", "msctl.config")),
    ("msctl.engines.", ("msctl.cli", "msctl.ui")),
    ("msctl.render.", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.ui")),
    ("msctl.config.", ("msctl.engines", "msctl.cli", "msctl.execute", "msctl.ui")),
    ("msctl.model.", ("msctl.config", "msctl.engines", "msctl.render", "msctl.plan")),
    ("msctl.state.", ("msctl.config", "msctl.engines", "msctl.render", "msctl.model")),
    ("msctl.loadtest.", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.ui")),
    ("msctl.autoscale.", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.ui")),
    ("msctl.loadgen.sender", ("msctl.engines",)),
    ("msctl.loadgen.", ("msctl.engines.compose", "msctl.cli", "msctl.config", "msctl.ui")),
    ("msctl.assessment.", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.ui")),
    ("msctl.doctor.", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.ui")),
    ("msctl.files.", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.ui", "msctl.render")),
    ("msctl.plan", ("msctl.config", "msctl.engines", "msctl.render", "msctl.model")),
    ("msctl.engines.compose.", ("msctl.engines.kubernetes",)),
    ("msctl.engines.kubernetes.", ("msctl.engines.compose",)),
    ("msctl.cli.", ("msctl.engines.compose", "msctl.engines.kubernetes")),
    ("msctl.monitoring.", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.ui")),
    ("msctl.importing.", ("msctl.engines", "msctl.cli", "msctl.execute", "msctl.ui")),
    ("msctl.tls.", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.ui")),
    ("msctl.ui", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.model", "msctl.render")),
    ("msctl.ui.", ("msctl.engines", "msctl.cli", "msctl.config", "msctl.model", "msctl.render")),
    ("msctl.fields.", ("msctl.model", "msctl.config", "msctl.engines", "msctl.render")),
    ("msctl.records.", ("msctl.fields", "msctl.model", "msctl.config", "msctl.engines")),
]


@pytest.mark.parametrize(("layer", "above"), LAYERS)
def test_dependencies_point_one_way(layer: str, above: tuple[str, ...]) -> None:
    """What lies below knows nothing of what lies above it."""
    for module in MODULES:
        if module == layer or (layer.endswith(".") and module.startswith(layer)):
            wrong = [name for name in imports(module) if name.startswith(above)]
            assert wrong == [], module


def asks_for_an_engine(node: ast.AST) -> bool:
    """Whether a comparison or a case has an engine on one side and its name on the other."""
    if isinstance(node, ast.Match):
        asked: ast.AST = node.subject
    elif isinstance(node, ast.Compare):
        asked = node
    else:
        return False
    names = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
    return "engine" in ast.unparse(asked).lower() and bool(names & {"compose", "kubernetes"})


def test_only_the_registry_knows_engines_by_name() -> None:
    """No decision anywhere asks which engine it is, so that a new one needs no change elsewhere."""
    guilty = [
        module
        for module in MODULES
        if module != "msctl.engines" and any(map(asks_for_an_engine, ast.walk(tree(module))))
    ]
    assert guilty == []


@pytest.mark.parametrize(
    "code",
    [
        'if engine.name == "compose": pass',
        'x = 1 if "kubernetes" in (options.engine,) else 2',
        'match engine.name:\n    case "compose": pass',
    ],
)
def test_a_branch_on_an_engine_is_noticed(code: str) -> None:
    """The rule above sees the ways in which such a decision can be written."""
    assert any(map(asks_for_an_engine, ast.walk(ast.parse(code))))


def test_the_readme_has_a_room_for_every_module() -> None:
    """Its table of folders and modules is whole, and names none that is not there."""
    text = (ROOT.parent / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"\| folder or module \| does \|\n((?:\|.*\n)+)", text)
    named = set(re.findall(r"`([a-z]+(?:/|\.py))", table))
    folders = {f"{path.name}/" for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "_"}
    modules = {path.name for path in ROOT.glob("*.py") if path.name[0] != "_"}
    assert named == folders | modules


def test_every_module_of_the_package_was_looked_at() -> None:
    """The rules above hold for the whole package, not for a part that was found by chance."""
    assert {
        "msctl.model",
        "msctl.execute",
        "msctl.engines.compose.planning.planner",
    } <= MODULES.keys()
    assert "msctl.render.compose" in pure_modules()
    assert {
        "msctl.engines.compose.planning.up",
        "msctl.engines.compose.steps",
        "msctl.engines.kubernetes.planning.up",
        "msctl.engines.kubernetes.cluster",
    } <= set(pure_modules())
    assert reach("msctl.engines.compose.api.sdk")["docker"] == "msctl.engines.compose.api.sdk"
