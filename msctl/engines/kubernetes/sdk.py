"""The client of Kubernetes's API and the HTTP below it: the only module that imports them.

They are an extra of the package, which need not be installed.
"""

from __future__ import annotations

from msctl.errors import MsctlError

try:
    from kubernetes import config
    from kubernetes.client import ApiClient, ApiException, Configuration
    from kubernetes.config import ConfigException
    from urllib3.exceptions import HTTPError
except ImportError as error:
    raise MsctlError(
        f"--engine kubernetes needs the client of Kubernetes's API, which is not there ({error})",
        hint="pip install 'msctl[kubernetes]'",
    ) from error

__all__ = ["ApiClient", "ApiException", "ConfigException", "Configuration", "HTTPError", "config"]
