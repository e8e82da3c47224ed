"""What comes in through a gateway: requests and WebSockets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Visitor:
    """Somebody outside, without a cookie jar unless `session` gives one."""

    url: str
    """Base URL of a gateway; its certificate is self-signed, so it is not checked."""

    def session(self) -> httpx.Client:
        """A client that keeps its cookies."""
        return httpx.Client(base_url=self.url, verify=False, timeout=10, trust_env=False)

    def request(self, method: str, path: str, **extra: Any) -> httpx.Response:
        """One request, by a client that nobody knows."""
        with self.session() as client:
            return client.request(method, path, **extra)

    def get(self, path: str, **extra: Any) -> httpx.Response:
        return self.request("GET", path, **extra)

    def echo(self, path: str, **extra: Any) -> dict[str, Any]:
        """What a sample service says it was asked."""
        response = self.get(path, **extra)
        assert response.status_code == 200, f"{path}: {response.status_code} {response.text}"
        found: dict[str, Any] = response.json()
        return found

    def replicas(self, path: str, requests: int) -> Counter[str]:
        """How many of so many requests each replica answered; it is told by its id's start."""
        return Counter(self.echo(path)["replica"] for _ in range(requests))
