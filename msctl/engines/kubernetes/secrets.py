"""The stack's secrets: files beside the stack file here, Secrets in the cluster.

A file of this machine wins. Where it is missing, the cluster's own value stays, so that somebody
else's checkout does not give a database another password than it has.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence

from msctl.config import LoadedStack
from msctl.engines.kubernetes.cluster import Cluster
from msctl.engines.kubernetes.kinds import SECRET, Data, Kind
from msctl.engines.secretsteps import WriteSecret
from msctl.errors import MsctlError
from msctl.files import wholefile
from msctl.plan import Draft, Plan
from msctl.render.compose import SECRETS_FOLDER, secret_files
from msctl.render.kubernetes.secrets import secret_name, secrets


class Secrets:
    """The secrets of one stack."""

    def __init__(self, loaded: LoadedStack, namespace: str) -> None:
        self._stack = loaded.stack
        self._folder = loaded.folder / SECRETS_FOLDER
        self._namespace = namespace
        self._files = secret_files(loaded.stack)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return (SECRET,) if self._files else ()

    def due(self, cluster: Cluster) -> Plan:
        """Make the secrets that neither this machine nor the cluster has.

        Raises:
            UsageProblem: the folder of secrets leads elsewhere, or is somebody else's.
            MsctlError: one is gone whose database is there.
        """
        draft = Draft()
        if self._files:
            wholefile.check_folder(self._folder)
        for file, (secret, template) in self._files.items():
            if self._value(file, cluster) is not None:
                continue
            self._refuse_where_data_is(secret, cluster)
            path = str(self._folder / file)
            draft.add(WriteSecret(target=file, path=path, secret=secret, template=template))
        return draft.plan()

    def beside(self, objects: Sequence[Data], cluster: Cluster) -> tuple[Data, ...]:
        """The objects, with the Secrets before what mounts them."""
        known = {file: self._value(file, cluster) for file in self._files}
        values = {file: value for file, value in known.items() if value is not None}
        first, *others = objects  # the namespace
        return (first, *secrets(self._stack, values, namespace=self._namespace), *others)

    def _value(self, file: str, cluster: Cluster) -> bytes | None:
        text = wholefile.read(self._folder / file)
        return self._live(file, cluster) if text is None else text.rstrip("\n").encode()

    def _live(self, file: str, cluster: Cluster) -> bytes | None:
        found = cluster.get(SECRET, secret_name(file))
        data: Mapping[str, str] = (found or {}).get("data") or {}
        return b64decode(data[file]) if file in data else None

    def _refuse_where_data_is(self, secret: str, cluster: Cluster) -> None:
        users = {
            name
            for name, service in self._stack.services.items()
            if any(mount.name == secret for mount in service.secrets)
        }
        for claim in cluster.claims:
            if (service := cluster.service_of(claim)) in users:
                raise MsctlError(
                    f"{service}: the secret {self._folder / secret} is missing, but volume "
                    f"{claim['metadata']['name']} exists and knows the old one",
                    hint="put the secret's file back, or remove the data: msctl down --volumes",
                )
