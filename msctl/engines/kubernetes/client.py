"""The Kubernetes API: the only module that imports its client.

Paths and plain data in, plain data out; every request has a deadline, and a refusal is an error of
msctl's. Which cluster, and as whom, is found as `kubectl` finds it: `KUBECONFIG` (several files are
merged), `~/.kube/config`, else the service account of the pod that msctl runs in.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msctl.deadline import within
from msctl.engines.kubernetes.faults import OVERLOADED, SERVER_ERROR, refusal
from msctl.errors import EngineUnreachable, MsctlError
from msctl.shellwords import quoted

try:
    import urllib3
    import yaml
    from kubernetes import config as kubeconfig
    from kubernetes.client import ApiClient, ApiException, Configuration
    from kubernetes.config import ConfigException
except ImportError as error:
    import sys
    from importlib.metadata import requires

    # By what is missing, not by msctl's own name, which on PyPI is another project's.
    missing = [one for one in requires("msctl") or () if one.endswith('extra == "kubernetes"')]
    words = [quoted(one.partition(";")[0].strip()) for one in missing]
    raise MsctlError(
        f"--engine kubernetes needs the client of Kubernetes's API, which is not there ({error})",
        hint=" ".join([quoted(sys.executable), "-m pip install", *words]),
    ) from error

CONNECT_TIMEOUT, READ_TIMEOUT = 5.0, 30.0
"""Seconds until a connection is there, and between two bytes of an answer."""
ANSWER_TIMEOUT = 90.0
"""Seconds for a whole answer, however steadily it trickles; an API server gives itself 60."""
MOST_BYTES, LONGEST_LINE = 256 << 20, 16 << 20
"""Of an answer, and of a line of one that goes on: more than any page, log or event has."""
TRIES, LONGEST_PAUSE = 5, 10.0
"""How often a server is asked that says when to come again, and seconds between two tries."""
LINES_TIMEOUT = 3600.0
"""Seconds for which a container that is listened to may be silent."""
MOST_OF_CONFIG = 1 << 20
"""Bytes of a kubeconfig; the stack file may have as many."""
_AT_ONCE = 1 << 16
"""Bytes that are read at once."""
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"


class Client:
    """Calls to one API server; may be used by several threads."""

    def __init__(self, environ: Mapping[str, str], context: str | None = None) -> None:
        self.context, self.namespace, settings = _configuration(environ, context)
        settings.retries = False
        self.address: str = settings.host
        self._api = ApiClient(configuration=settings)

    @property
    def kubectl(self) -> str:
        """How `kubectl` is told to ask the same cluster."""
        return f"kubectl --context {self.context}" if self.context else "kubectl"

    def get(self, path: str, **query: str) -> dict[str, Any]:
        return self.call("GET", path, query)

    def items(self, path: str, **query: str) -> list[dict[str, Any]]:
        """All items, whatever the size of a page."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.get(path, limit="500", **query)
            found += page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return found
            query["continue"] = token

    def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content: str | None = None,
    ) -> dict[str, Any]:
        """One call.

        Raises:
            Refused: the server refused it.
            EngineUnreachable: it did not answer, or does not know us.
        """
        with self._faults():
            text = self._read(method, path, query, body, content).decode()
        found = json.loads(text) if text else {}
        return found if isinstance(found, dict) else {}

    def text(self, path: str, query: Mapping[str, str]) -> str:
        """An answer that is text, such as a log."""
        with self._faults():
            answer = self._read("GET", path, query)
        return answer.decode(errors="replace")

    def lines(self, path: str, query: Mapping[str, str]) -> Lines:
        """The lines of an answer that goes on; another thread may close it."""
        with self._faults():
            answer = self._send("GET", path, query, None, None, LINES_TIMEOUT)
        return Lines(answer.response)

    def _read(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object = None,
        content: str | None = None,
    ) -> bytes:
        answer = self._send(method, path, query, body, content, READ_TIMEOUT)
        return within(ANSWER_TIMEOUT, lambda: _whole(answer))

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        content: str | None,
        patience: float,
    ) -> Any:
        """An answer whose body has not been read yet."""
        headers = {"Accept": "application/json, */*"}
        if content is not None:
            headers["Content-Type"] = content
        request = self._api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,  # which the client writes as JSON, for every type of patch
            auth_settings=["BearerToken"],
        )
        for last in (*[False] * (TRIES - 1), True):
            limits = CONNECT_TIMEOUT, patience
            answer = within(
                ANSWER_TIMEOUT,
                lambda: self._api.call_api(*request, _request_timeout=limits),  # noqa: B023
            )
            if 200 <= answer.status < 300:
                return answer
            text = within(ANSWER_TIMEOUT, lambda: _whole(answer)).decode(errors="replace")  # noqa: B023
            pause = _pause(answer)
            if last or pause is None:
                break
            time.sleep(pause)
        raise refusal(
            answer.status,
            text,
            address=self.address,
            context=self.context,
            kubectl=self.kubectl,
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, ApiException, OSError) as error:
            raise EngineUnreachable(
                f"no Kubernetes API answers at {self.address}: {_reason(error)}",
                hint=f"{self.kubectl} cluster-info tells whether the cluster is there; "
                "--context chooses another one",
            ) from error
        except ConfigException as error:  # the command that gives a token has failed
            raise EngineUnreachable(
                f"no credentials for {self.address}: {error}",
                hint=f"see that {self.kubectl} get namespaces works, and repeat the command",
            ) from error


def _whole(answer: Any) -> bytes:
    """Raises:
    OSError: it is larger than any that is meant.
    """
    parts, size = [], 0
    try:
        for part in answer.response.stream(_AT_ONCE):
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise OSError(f"an answer of more than {MOST_BYTES >> 20} MiB")
    finally:
        answer.response.close() if size > MOST_BYTES else answer.response.release_conn()
    return b"".join(parts)


def _pause(answer: Any) -> float | None:
    """Seconds after which an overloaded server wants to be asked again; None: it does not say so.

    As the API's own clients have it: all that msctl asks may be asked twice.
    """
    after = answer.getheader("Retry-After") or ""
    if (answer.status != OVERLOADED and answer.status < SERVER_ERROR) or not after.isdecimal():
        return None
    return min(float(after), LONGEST_PAUSE)


class Lines:
    """The lines of an answer, as they come."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._closed = False

    def __iter__(self) -> Iterator[str]:
        rest = b""
        try:
            for chunk in self._chunks():
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    yield line.decode(errors="replace")
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError):
            pass  # closed by another thread, or the connection has ended: so have the lines
        finally:
            self._response.close()
        if rest and not self._closed:
            yield rest.decode(errors="replace")

    def _chunks(self) -> Iterator[bytes]:
        """What has come, and no more at once than is meant, however long a chunk says it is."""
        if self._response.chunked:
            yield from self._response.stream(amt=_AT_ONCE)
            return
        while found := self._response.read1(_AT_ONCE):
            yield found

    def close(self) -> None:
        """End the reading of another thread, which closes the connection then: to close it here
        would wait for a byte that may never come."""
        self._closed = True
        with suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()


def _configuration(
    environ: Mapping[str, str], context: str | None
) -> tuple[str | None, str | None, Any]:
    """The context's name, its namespace, and how its server is reached."""
    files = environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    settings = Configuration()
    _check_files(files)
    try:
        contexts, current = kubeconfig.list_kube_config_contexts(config_file=files)
        chosen = next((c for c in contexts if c["name"] == context), None) if context else current
        if chosen is None:
            names = ", ".join(sorted(c["name"] for c in contexts)) or "none"
            raise EngineUnreachable(
                f"--context: {context} is not a context of {files} (there is: {names})",
                hint="kubectl config get-contexts",
            )
        with _Complaints() as complaints:
            kubeconfig.load_kube_config(
                config_file=files,
                context=chosen["name"],
                client_configuration=settings,
                persist_config=False,
            )
        if complaints:
            raise EngineUnreachable(
                f"no credentials for context {chosen['name']}: {complaints[0]}",
                hint=f"see that kubectl --context {chosen['name']} get namespaces works, and "
                "repeat the command",
            )
    except yaml.YAMLError as error:
        raise EngineUnreachable(
            f"{files} is no kubeconfig: {' '.join(str(error).split())}",
            hint="set KUBECONFIG to the file that your cluster gave you",
        ) from error
    except (ConfigException, KeyError, TypeError, ValueError) as error:
        return _of_this_pod(settings, files, context, error)
    return chosen["name"], (chosen.get("context") or {}).get("namespace"), settings


def _check_files(files: str) -> None:
    """Before a library reads them, however long they are, and twice.

    Raises:
        EngineUnreachable: one is a pipe, or much too large.
    """
    for file in files.split(os.pathsep):
        try:
            status = Path(file).expanduser().stat()
        except OSError:
            continue  # as for kubectl, it need not be there
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_OF_CONFIG:
            why = "larger than 1 MiB" if stat.S_ISREG(status.st_mode) else "not a regular file"
            raise EngineUnreachable(
                f"{file} is no kubeconfig: it is {why}",
                hint="set KUBECONFIG to the file that your cluster gave you",
            )


class _Complaints(logging.Handler):
    """What the client's library logs in place of an error: that the command failed which gives the
    credentials (`exec` of a kubeconfig)."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())

    def __enter__(self) -> list[str]:
        logging.getLogger().addHandler(self)
        return self.found

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)


def _of_this_pod(
    settings: Any, files: str, context: str | None, error: Exception
) -> tuple[str | None, str | None, Any]:
    """The service account of the pod that msctl runs in, if it runs in one."""
    if context is None:
        try:
            kubeconfig.load_incluster_config(client_configuration=settings)
        except ConfigException:
            pass
        else:
            return None, None, settings
    raise EngineUnreachable(
        f"no Kubernetes cluster is configured in {files}: {error}",
        hint="set KUBECONFIG to the file that your cluster gave you; "
        "kubectl config get-contexts shows what is there",
    ) from error


def _reason(error: BaseException) -> str:
    """The innermost reason, without the layers of the HTTP library around it."""
    seen: BaseException = error
    while inner := seen.__cause__ or seen.__context__:
        seen = inner
    if isinstance(seen, OSError) and seen.strerror:
        return seen.strerror
    return str(getattr(seen, "reason", None) or seen) or type(seen).__name__
