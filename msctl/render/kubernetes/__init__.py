"""The stack as objects of the Kubernetes API.

`files` has them by the file that they are written to, `objects` one after the other, both in the
order in which they are applied. Secrets are apart: `secrets` makes them of values that no file
holds. What a stack has and Kubernetes cannot carry is in `problems`, what it carries otherwise in
`notes`.
"""

from msctl.render.kubernetes.bundle import FILES, SETUP, files, objects
from msctl.render.kubernetes.guide import CERT_MANAGER, KEDA, METRICS_SERVER, TRAEFIK_CRDS, guide
from msctl.render.kubernetes.mounts import Contents
from msctl.render.kubernetes.names import namespace_of
from msctl.render.kubernetes.problems import notes, problems
from msctl.render.kubernetes.secrets import secret_names, secrets
from msctl.render.kubernetes.text import OURS, stream, texts

__all__ = [
    "CERT_MANAGER",
    "FILES",
    "KEDA",
    "METRICS_SERVER",
    "OURS",
    "SETUP",
    "TRAEFIK_CRDS",
    "Contents",
    "files",
    "guide",
    "namespace_of",
    "notes",
    "objects",
    "problems",
    "secret_names",
    "secrets",
    "stream",
    "texts",
]
