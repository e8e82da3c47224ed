"""Prometheus's query API (`/api/v1/query…`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from msctl.httpclient import Ask, HttpClient, NoAnswer
from msctl.monitoring.queries import Sample, Series, known, read_traffic, traffic_query
from msctl.state import Traffic

T = TypeVar("T")

TIMEOUT = 2.0
"""Seconds after which Prometheus is said not to answer."""
_STRANGE = "the answer is not that of Prometheus's API"


class PrometheusSilent(Exception):
    """Prometheus did not answer, or with something else than its API would."""


class PrometheusApi:
    """Asks one Prometheus. Not to be shared between threads."""

    def __init__(self, url: str, *, ask: Ask | None = None) -> None:
        self.url = url.rstrip("/")
        self._client = HttpClient(self.url, TIMEOUT, ask)

    def __enter__(self) -> PrometheusApi:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def traffic(self, services: Sequence[str], namespace: str | None = None) -> dict[str, Traffic]:
        """What each of the services had to answer in the last minute, in one question;
        `namespace` is theirs in a cluster.

        Raises:
            PrometheusSilent: Prometheus does not answer.
        """
        if not services:
            return {}
        return read_traffic(self.instant(traffic_query(services, namespace)), services)

    def instant(self, query: str) -> tuple[Sample, ...]:
        """What an expression is now: a sample for each of its series.

        Raises:
            PrometheusSilent: Prometheus does not answer, or refuses the expression.
        """
        found = self._ask("/api/v1/query", "vector", query=query)
        return tuple(_read(found, _sample))

    def range(self, query: str, start: float, end: float, step: float) -> tuple[Series, ...]:
        """What an expression was every `step` seconds from `start` to `end` (Unix time).

        Raises:
            PrometheusSilent: Prometheus does not answer, or refuses the expression.
        """
        times = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        found = self._ask("/api/v1/query_range", "matrix", query=query, **times)
        return tuple(_read(found, _series))

    def _ask(self, path: str, kind: str, **form: str) -> list[Any]:
        """By POST, because the expressions are long."""
        try:
            answer = self._client.post(path, {**form, "timeout": f"{TIMEOUT:g}s"})
            found = answer.json()
            if found["status"] != "success":
                raise PrometheusSilent(str(found["error"]))
            if found["data"]["resultType"] != kind:
                raise PrometheusSilent(f"{found['data']['resultType']} in place of a {kind}")
            result: list[Any] = found["data"]["result"]
        except NoAnswer as error:
            raise PrometheusSilent(str(error)) from error
        except (ValueError, KeyError, TypeError) as error:
            raise PrometheusSilent(_STRANGE) from error
        return result


def _read(found: list[Any], one: Callable[[Any], T]) -> list[T]:
    try:
        return [one(entry) for entry in found]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PrometheusSilent(_STRANGE) from error


def _sample(entry: Mapping[str, Any]) -> Sample:
    _, value = entry["value"]
    return Sample(dict(entry["metric"]), known(value))


def _series(entry: Mapping[str, Any]) -> Series:
    points = {
        float(time): value for time, text in entry["values"] if (value := known(text)) is not None
    }
    return Series(dict(entry["metric"]), points)
