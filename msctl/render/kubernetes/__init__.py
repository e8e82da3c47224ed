"""The stack as objects of the Kubernetes API.

`files` has them by the file that they are written to, `objects` one after the other, both in the
order in which they are applied. Secrets are apart: `secrets` makes them of values that no file
holds. What a stack has and Kubernetes cannot carry is in `problems`, what it carries otherwise in
`notes`.
"""

from msctl.render.kubernetes.bundle import files, objects
from msctl.render.kubernetes.names import namespace_of

__all__ = ["files", "namespace_of", "objects"]
