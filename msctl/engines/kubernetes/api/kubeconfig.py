"""Which cluster, and as whom.

Found as `kubectl` finds it: `KUBECONFIG` (several files are merged), `~/.kube/config`, else the
service account of the pod that msctl runs in.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from msctl.engines.kubernetes.api.sdk import ConfigException, Configuration, config
from msctl.engines.kubernetes.kubectl import kubectl
from msctl.errors import EngineUnreachable

MOST_OF_CONFIG = 1 << 20
"""Bytes of a kubeconfig; the stack file may have as many."""


def configuration(
    environ: Mapping[str, str], context: str | None
) -> tuple[str | None, str | None, Any]:
    """The context's name, its namespace, and how its server is reached."""
    files = environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    settings = Configuration()
    _check_files(files)
    try:
        contexts, current = config.list_kube_config_contexts(config_file=files)
        chosen = next((c for c in contexts if c["name"] == context), None) if context else current
        if chosen is None:
            names = ", ".join(sorted(c["name"] for c in contexts)) or "none"
            raise EngineUnreachable(
                f"--context: {context} is not a context of {files} (there is: {names})",
                hint="kubectl config get-contexts",
            )
        with _Complaints() as complaints:
            config.load_kube_config(
                config_file=files,
                context=chosen["name"],
                client_configuration=settings,
                persist_config=False,
            )
        if complaints:
            raise EngineUnreachable(
                f"no credentials for context {chosen['name']}: {complaints[0]}",
                hint=f"see that {kubectl(chosen['name'])} get namespaces works, and "
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
            config.load_incluster_config(client_configuration=settings)
        except ConfigException:
            pass
        else:
            return None, None, settings
    raise EngineUnreachable(
        f"no Kubernetes cluster is configured in {files}: {error}",
        hint="set KUBECONFIG to the file that your cluster gave you; "
        "kubectl config get-contexts shows what is there",
    ) from error
