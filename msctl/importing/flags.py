"""The settings of somebody else's Traefik: those that the gateway takes over, and those lost.

None is dropped in silence: it is read elsewhere, or as msctl's gateway has it anyway, or goes into
`gateway.args`, or is told. Names are Traefik 3.7's; of two flags of one name it takes the last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from msctl.importing.gateway import HTTP_POINTS, HTTPS_POINTS, Gateway
from msctl.importing.source import Source
from msctl.importing.statics import CONFIG_FILE, Setting
from msctl.render.traefik import GRACE, STAGING

_COUNTED = "msctl counts requests by it"
_ASKED = "msctl asks the API, which is published where gateway.dashboard says"
_SAME = (
    (r"api(\.dashboard|\.insecure)?", ("true",), _ASKED),
    (r"api\.basepath", ("", "/"), _ASKED),
    (r"ping", ("true",), "the gateway's health is asked there"),
    (r"ping\.manualrouting", ("false",), "it is at the API's entry point"),
    (r"(ping|metrics\.prometheus)\.entrypoint", ("traefik",), "it is at the API's entry point"),
    (r"metrics(\.prometheus(\.add(entrypoints|routers|services)labels)?)?", ("true",), _COUNTED),
    (r"metrics\.prometheus\.manualrouting", ("false",), _COUNTED),
    (r"metrics\.prometheus\.buckets", (), "they are those that msctl reckons with"),
    (r"accesslog", ("true",), _COUNTED),
    (r"accesslog\.format", ("json",), "it is JSON, which msctl reads"),
    (r"accesslog\.fields\.defaultmode", ("keep",), _COUNTED),
    (r"accesslog\.fields\.headers\.names\.x-request-id", ("keep",), _COUNTED),
    (r"log|log\.nocolor", ("true",), ""),
    (r"global\.checknewversion", ("false",), "the gateway does not ask for newer versions"),
    (r"global\.sendanonymoususage", ("false",), "nothing is sent"),
    (r"providers\.docker(\.watch)?", ("true",), "the gateway finds services by it"),
    (r"providers\.docker\.swarmmode", ("false",), ""),
    (r"providers\.providersthrottleduration", ("200ms",), "it is 200ms"),
    (
        r"serverstransport\.forwardingtimeouts\.dialtimeout",
        ("500ms",),
        "it is 500ms, so that a request soon tries another replica",
    ),
)
"""What msctl's gateway is told itself: the values that mean the same, and why it is no other."""
_READ = re.compile(r"providers\.docker\.(exposedbydefault|network)")
"""Settings that routes and networks come of."""
_KEPT = re.compile(
    r"log\.(level|format)|accesslog\.fields\.(headers\.(defaultmode|names\..+)|queryparameters\..+)"
    r"|api\..+|metrics\.prometheus\.headerlabels\..+"
    r"|(serverstransport|tcpserverstransport|core|hostresolver|spiffe|ocsp)(\..+)?"
    r"|experimental\.(?!http3|hub|kubernetesgateway).+"
    r"|tracing(?!\.(jaeger|zipkin|datadog|instana|haystack|elastic))(\..+)?"
)
"""What the gateway is not told otherwise, or may be told over msctl's own word for it."""
_USUAL = {"log.level": "info", "log.format": "common"}
_WHY = (
    (r"providers\.file", "routes and middlewares of files have no place in the stack file"),
    (r"providers\.docker\.defaultrule", "a route says its own host"),
    (r"providers\.docker\.constraints", "the gateway takes the services of its own stack"),
    (r"(access)?log\.", "msctl reads what the gateway writes to its output"),
    (r"providers|certificatesresolvers|accesslog|metrics|ping|global", ""),
)
_POINT = re.compile(r"entrypoints\.([^.]+)(?:\.(.+))?")
_REDIRECT = "http.redirections.entrypoint."
_OF_A_POINT = (
    (r"asdefault|http|http\.tls|http\.redirections(\.entrypoint)?", ("true",), ""),
    (r"http\.tls\.certresolver|http\.middlewares(\[\d+\])?", None, ""),
    (r"http\.redirections\.entrypoint\.scheme", ("https",), "the gateway redirects to HTTPS only"),
    (r"http\.redirections\.entrypoint\.permanent", ("true",), "the redirect is permanent"),
    (r"http\.redirections\..+", (), "the redirect comes before all routes"),
    (r"http\.tls\..+", (), "certificates are for the hosts of routes, and ask clients for none"),
    (r"http3(\..+)?|udp(\..+)?", (), "the gateway has no HTTP/3"),
    (r"observability\.(accesslogs|metrics)", ("true",), _COUNTED),
    (r"transport\.lifecycle\.gracetimeout", (GRACE,), f"it is {GRACE}"),
)
"""As `_SAME`, of an entry point; None: whatever the value."""
_ACME = re.compile(r"certificatesresolvers\.([^.]+)(?:\.acme(?:\.(.+))?)?")
_SERVERS = (STAGING, STAGING.replace("acme-staging-v02.", "acme-v02."))


@dataclass(frozen=True)
class _Verdict:
    """What becomes of a setting: it is carried, or kept as a flag, or lost."""

    flag: str | None = None
    lost: bool = False
    why: str = ""


_CARRIED = _Verdict()


def _lost(why: str) -> _Verdict:
    return _Verdict(lost=True, why=why)


def other_args(source: Source, gateway: Gateway, *, proxied: bool, tls_on: bool) -> list[str]:
    """The flags for `gateway.args`: the settings of Traefik's own that msctl has no key for.

    `proxied`: a service of the file stands between it and the engine's socket. `tls_on`: the
    stack's gateway has HTTPS.
    """
    judge = _Judge(source.resolved, gateway, proxied, tls_on)
    kept = []
    for setting in gateway.statics.settings:
        verdict = judge(setting)
        if verdict.lost:
            _tell(source, setting, verdict.why)
        elif verdict.flag is not None:
            kept.append(verdict.flag)
    for setting, why in gateway.statics.unheard:
        _tell(source, setting, why)
    return kept


def _tell(source: Source, setting: Setting, why: str) -> None:
    message = f"not carried: {setting.said}{': ' if why else ''}{why}"
    source.notes.append(replace(setting.note, message=message))


@dataclass(frozen=True)
class _Judge:
    resolved: Callable[[str], str]
    gateway: Gateway
    proxied: bool
    tls_on: bool

    def __call__(self, setting: Setting) -> _Verdict:
        key, value = setting.key, self.resolved(setting.value).strip().lower()
        if not key:
            return _lost("it is no flag")
        if found := _POINT.fullmatch(key):
            return self._of_point(setting, found[1], found[2] or "", value)
        if found := _ACME.fullmatch(key):
            return self._of_acme(found[1], found[2] or "", value)
        if key == CONFIG_FILE or _READ.fullmatch(key):
            return _CARRIED
        if key == "providers.docker.endpoint":
            known = value.startswith("unix://") or self.proxied
            return _CARRIED if known else _lost("gateway.socket names another socket")
        if (same := _same(_SAME, key, value)) is not None:
            return same
        if _KEPT.fullmatch(key):
            usual = _USUAL.get(key) == value
            return _CARRIED if usual else _Verdict(f"--{setting.name}={setting.value}")
        why = next((why for pattern, why in _WHY if re.match(pattern, key)), None)
        return _lost("Traefik 3 has no such setting" if why is None else why)

    def _of_point(self, setting: Setting, name: str, option: str, value: str) -> _Verdict:
        point = self._point(name)
        if point is None:
            own = name == "traefik" and option in ("", "address")
            return _CARRIED if own else _lost("the gateway's entry points are HTTP and HTTPS")
        if option in ("", "address"):
            return _lost("the gateway has no UDP") if value.endswith("/udp") else _CARRIED
        if option.startswith(_REDIRECT) and not self.tls_on:
            return _lost("no router has TLS")
        if option == f"{_REDIRECT}to":
            to = value.lstrip(":")
            inner = self._point(to) == "websecure" or to == "443"
            return _CARRIED if inner else _lost("the gateway redirects to HTTPS only")
        if (same := _same(_OF_A_POINT, option, value)) is not None:
            return same
        written = setting.name.split(".", 2)[2]
        return _Verdict(f"--entrypoints.{point}.{written}={setting.value}")

    def _point(self, name: str) -> str | None:
        """The stack's entry point that one of the file's comes to; None: none does."""
        port = self.gateway.entry_points.get(name)
        if name in HTTPS_POINTS or port == "443":
            return "websecure"
        return "web" if name in HTTP_POINTS or port == "80" else None

    def _of_acme(self, resolver: str, option: str, value: str) -> _Verdict:
        if not self.tls_on:
            return _lost("no router has TLS")
        if resolver != self.gateway.resolver:
            return _lost(f"the gateway has one resolver, which is {self.gateway.resolver}")
        if "email" not in self.gateway.acme:
            return _lost("without an email, the stack's own authority makes the certificates")
        if option.startswith("dnschallenge"):
            return _lost("Let's Encrypt's DNS challenge; it is http now")
        if option == "caserver":
            return _CARRIED if value in _SERVERS else _lost("certificates are Let's Encrypt's")
        known = ("", "email", "storage", "httpchallenge", "httpchallenge.entrypoint",
                 "tlschallenge")  # fmt: skip
        return _CARRIED if option in known else _lost("")


def _same(
    table: Sequence[tuple[str, Sequence[str] | None, str]], key: str, value: str
) -> _Verdict | None:
    """Carried or lost by the first line of a table that is about a setting."""
    for pattern, values, why in table:
        if re.fullmatch(pattern, key):
            return _CARRIED if values is None or value in values else _lost(why)
    return None
