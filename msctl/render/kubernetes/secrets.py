"""Secrets: which there are, how pods mount them, and, given their values, the objects."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from msctl.model import Service, Stack
from msctl.render.compose import mounted_secrets, secret_files
from msctl.render.kubernetes.names import Data, Maker, dns_name


def secret_name(file: str) -> str:
    """The Secret with what is in a file of the folder of secrets; the key in it is the file."""
    return dns_name(file)


def secret_names(stack: Stack) -> dict[str, str]:
    """File of the folder of secrets → the Secret that holds it."""
    return {file: secret_name(file) for file in secret_files(stack)}


def secrets(
    stack: Stack, values: Mapping[str, bytes], *, namespace: str | None = None
) -> list[Data]:
    """The Secrets, of the contents of the files; a file without contents gives none.

    They are in no rendered file.
    """
    from base64 import b64encode

    make = Maker(stack, namespace)
    return [
        make.object(
            "v1 Secret",
            secret_name(file),
            stack.name,
            "secret",
            type="Opaque",
            data={file: b64encode(values[file]).decode()},
        )
        for file in secret_files(stack)
        if file in values
    ]


def volumes(name: str, service: Service, *, mode: int) -> tuple[list[Data], list[Data]]:
    """Volumes of the pod, and mounts of its container: a file each."""
    made: dict[str, Data] = {}
    places: list[Data] = []
    for file, mount in mounted_secrets(name, service):
        target = mount.target or f"/run/secrets/{mount.name}"
        volume = f"secret-{len(places)}"
        part = posixpath.basename(target)
        items = [{"key": file, "path": part}]
        made[volume] = {
            "secret": {"secretName": secret_name(file), "defaultMode": mode, "items": items}
        }
        places.append({"name": volume, "mountPath": target, "subPath": part, "readOnly": True})
    return [{"name": volume, **source} for volume, source in made.items()], places
