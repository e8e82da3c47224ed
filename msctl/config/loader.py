"""Stack file → `Stack`, or every problem of the file at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msctl.config import checks, yamltext
from msctl.config.environment import (
    PROJECT,
    EnvFiles,
    ReadFile,
    ServiceEnvironment,
    dotenv,
    no_files,
)
from msctl.config.prepare import Preparation
from msctl.config.problems import MOST_PROBLEMS, Malformed, Path, Problem, as_error
from msctl.config.records import problems_of
from msctl.config.variables import Lookup, Substitution
from msctl.config.yamltext import Document
from msctl.errors import UsageProblem
from msctl.fields import check_name, check_project, shown
from msctl.model import Gateway, Service, Stack
from msctl.records import Unfit, Wrong


def load_text(
    text: bytes | str,
    *,
    name: str,
    environ: Mapping[str, str],
    read_file: ReadFile = no_files,
    project: str | None = None,
    keep_variables: bool = False,
    may_be_empty: bool = False,
) -> Stack:
    """Check a stack file's text. `name` is the file, as its errors call it.

    With `keep_variables`, values that pass through to Compose keep their `${VAR}`, and a `$`
    elsewhere is written `$$`: the form that `render` dumps. What concerns several records is
    not checked then: load it without first. `may_be_empty`: there need not be a service yet.

    Raises:
        StackFileError: the file's problems, all of them.
        UsageProblem: `project` is no project name.
    """
    if project is not None:
        _check_project(project)
    lookup, complaints = dotenv(name, environ, read_file)
    try:
        document = yamltext.parse(text)
    except Malformed as error:
        raise as_error([error.problem], name, complaints) from None
    home = environ.get("HOME") or environ.get("USERPROFILE")
    lookup = _with_project(lookup, project, document.value.get("name"))
    loading = _Loading(document, lookup, read_file, keep_variables, home, may_be_empty)
    stack = loading.stack(project)
    if stack is None or loading.problems or complaints:
        raise as_error(loading.problems, name, complaints)
    return stack


def _with_project(lookup: Lookup, project: str | None, name: object) -> Lookup:
    """The variables, with COMPOSE_PROJECT_NAME among them, as for Docker Compose."""

    def look(variable: str) -> str | None:
        found = lookup(variable)
        if found is not None or variable != PROJECT:
            return found
        given = project if project is not None else name
        return given if isinstance(given, str) and "$" not in given else None

    return look


def _check_project(project: str) -> None:
    try:
        check_project(project)
    except Wrong as error:
        raise UsageProblem(f"-p/--project: {error}") from None


@dataclass
class _Loading:
    """One file on its way; problems pile up."""

    document: Document
    lookup: Lookup
    read_file: ReadFile
    keep: bool
    home: str | None
    may_be_empty: bool = False
    problems: list[Problem] = field(default_factory=list)
    unresolved: frozenset[Path] = frozenset()

    def stack(self, project: str | None) -> Stack | None:
        """The stack; None where the file has problems."""
        preparation = Preparation(self.document, Substitution(self.lookup), self.keep, self.home)
        data = preparation.value()
        problems = preparation.problems
        if self.may_be_empty and self.document.value.get("services") is None:
            problems = [problem for problem in problems if problem.path != ("services",)]
        self.problems += (*self.document.problems, *problems)
        self.unresolved = frozenset(problem.path for problem in problems)
        if project is not None:
            data["name"] = project
        named = self._named_services(data)
        services: dict[str, Service] = {}
        partial = set()
        for name, value in named.items():
            service, whole = self._service(value, ("services", name))
            for path, message in checks.too_many(service) if service is not None else ():
                self._note(("services", name, *path), message)
                service = None
            if service is not None:
                services[name] = service
            if not whole:
                partial.add(name)
            if self._enough:
                return None
        if not self.keep:
            variables = EnvFiles(self.lookup, self.read_file)
            services = {
                name: self._completed(name, found, variables) for name, found in services.items()
            }
        stack, broken = self._assembled({**data, "services": services})
        if not self.keep:
            view = checks.View(stack, frozenset(named), frozenset(partial), broken)
            for path, message in checks.problems(view):
                self._note(path, message)
                if self._enough:
                    return None
        return None if self.problems else stack

    @property
    def _enough(self) -> bool:
        """Whether to stop looking: nobody reads on, and finding the nearest names takes time."""
        return len(self.problems) > MOST_PROBLEMS

    def _named_services(self, data: Mapping[str, object]) -> dict[str, object]:
        found = data.get("services")
        if self.may_be_empty and found in (None, {}):
            return {}
        if not isinstance(found, dict) or not found:
            message = f"{shown(found)} is not a mapping of names to services"
            if "services" not in data:
                message = "services is missing; add at least one service"
            elif found == {}:
                message = "there is no service here; add at least one"
            self._note(("services",), message)
            return {}
        if len(found) > checks.MOST_SERVICES:
            message = f"{len(found)} services; a stack has {checks.MOST_SERVICES} at the most"
            self._note(("services",), message)
            return {}
        for name in found:
            try:
                check_name(name)
            except Wrong as error:
                self._note(("services", name), str(error))
        return found

    def _service(self, value: object, at: Path) -> tuple[Service | None, bool]:
        """A service, or what is left of it without its unsound keys; and whether it is whole."""
        try:
            return Service.read(value, keep=self.keep), True
        except Unfit as error:
            self._note_all(problems_of(error, at, self.document))
            broken = {found.at[0] for found in error.findings if found.at}
        if not isinstance(value, dict):
            return None, False
        sound = {key: item for key, item in value.items() if key not in broken}
        return Service.read({"image": "unnamed", **sound}, keep=self.keep), False

    def _assembled(self, data: dict[str, object]) -> tuple[Stack, frozenset[str]]:
        """The stack of all that is sound, and the keys of the rest."""
        broken = set()
        if "gateway" in data:
            try:
                data["gateway"] = Gateway.read(data["gateway"], keep=self.keep)
            except Unfit as error:
                self._note_all(problems_of(error, ("gateway",), self.document))
                broken.add("gateway")
                del data["gateway"]
        try:
            return Stack.read(data), frozenset(broken)
        except Unfit as error:
            self._note_all(problems_of(error, (), self.document))
            broken |= {str(found.at[0]) for found in error.findings if found.at}
        sound = {key: value for key, value in data.items() if key not in broken}
        return Stack.read({"name": "unnamed", **sound}), frozenset(broken)

    def _completed(self, name: str, service: Service, files: EnvFiles) -> Service:
        environment = ServiceEnvironment(self.lookup, files)
        completed = environment.completed(service)
        for path, message in environment.problems:
            self._note(("services", name, *path), message)
        return completed

    def _note(self, path: Path, message: str) -> None:
        self._note_all([self.document.problem(path, message)])

    def _note_all(self, problems: Iterable[Problem]) -> None:
        """Take problems up, but not those of a value that has been found wanting already."""
        self.problems += (found for found in problems if found.path not in self.unresolved)
