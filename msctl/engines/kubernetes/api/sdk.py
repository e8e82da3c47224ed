"""The client of Kubernetes's API and the HTTP below it: the only module that imports them.

They are an extra of the package, which need not be installed.
"""

from __future__ import annotations

from msctl.errors import MsctlError
from msctl.shellwords import quoted

try:
    from kubernetes import config
    from kubernetes.client import ApiClient, ApiException, Configuration
    from kubernetes.config import ConfigException
    from urllib3.exceptions import HTTPError
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

__all__ = ["ApiClient", "ApiException", "ConfigException", "Configuration", "HTTPError", "config"]
