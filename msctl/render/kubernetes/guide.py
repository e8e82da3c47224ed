"""TRAEFIK_SETUP.md: how the rendered files get onto a cluster, with the exact commands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msctl.model import Stack
from msctl.render.compose import SECRETS_FOLDER, secret_files
from msctl.render.kubernetes.images import known
from msctl.render.kubernetes.names import GATEWAY_NAME, INSTANCE, MANAGED_BY, namespace_of
from msctl.render.kubernetes.notes import notes
from msctl.render.kubernetes.pods import ports_of
from msctl.render.kubernetes.secrets import secret_name
from msctl.render.kubernetes.text import OURS
from msctl.render.kubernetes.workloads import is_public, public_name

TRAEFIK_CRDS = (
    "kubectl apply --server-side -f https://raw.githubusercontent.com/traefik/traefik/v3.7/"
    "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"
)
CERT_MANAGER = (
    "kubectl apply -f "
    "https://github.com/cert-manager/cert-manager/releases/latest/download/cert-manager.yaml"
)
KEDA = (
    "helm install keda keda --repo https://kedacore.github.io/charts "
    "--namespace keda --create-namespace"
)
CERT_MANAGER_UP = (
    "kubectl wait -n cert-manager --for=condition=Available deployment --all --timeout=180s"
)
"""Until then its webhook refuses what it is to issue."""
METRICS_SERVER = (
    "kubectl apply -f "
    "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml"
)

APPLY = "kubectl apply --server-side --field-manager=msctl"


def guide(
    stack: Stack,
    files: Sequence[str],
    *,
    source: str,
    folder: str,
    namespace: str | None = None,
) -> str:
    """The text; `folder` leads from the working directory to that of the stack file, `.` or
    more."""
    namespace = namespace_of(stack, namespace)
    parts = [
        f"<!-- {OURS.removeprefix('# ')} from {source}. Do not edit. -->",
        f"# {stack.name} on Kubernetes",
        "For Kubernetes 1.30 or newer (`preStop` with the `sleep` action). Commands are for the "
        "folder with these files, unless they say otherwise.",
        "## 1. What the cluster needs",
        *_prerequisites(stack, namespace),
        "## 2. Secrets",
        *_secrets(stack, namespace, folder),
        "## 3. Apply",
        "In this order; again after each change of the stack file. With this field manager "
        "`msctl --engine kubernetes up` may go on from there, and the other way round.",
        _code(*(f"{APPLY} -f {name}" for name in files)),
        "## 4. Look",
        _code(
            f"kubectl get all,ingressroutes,hpa -n {namespace}",
            *_waits(stack, namespace),
        ),
        *_access(stack, namespace),
        *_notes(stack),
        "## Take it away",
        "The claims of volumes, and what is in them, go with the namespace.",
        _code(f"kubectl delete namespace {namespace}"),
    ]
    return "\n\n".join(parts) + "\n"


def _prerequisites(stack: Stack, namespace: str) -> Iterator[str]:
    services = stack.services.values()
    if stack.routed:
        yield "Traefik's custom resources (not Traefik itself: that is in these files):"
        yield _code(TRAEFIK_CRDS)
    if stack.routed and stack.gateway.tls_on and stack.kubernetes.cert_manager:
        yield (
            "cert-manager, which issues the gateway's certificate; without it write "
            "`kubernetes: {cert_manager: false}` in the stack file, and Traefik makes one up:"
        )
        yield _code(CERT_MANAGER, CERT_MANAGER_UP)
    if any(service.autoscale for service in services):
        yield "metrics-server, which the autoscalers read CPU from, where `kubectl top` fails:"
        yield _code(METRICS_SERVER)
    if stack.kubernetes.keda:
        yield "KEDA, which scales by requests and latency:"
        yield _code(KEDA)
    built = dict.fromkeys(
        service.image for service in services if service.build and not service.kubernetes.image
    )
    public = [image for image in built if known(image)]
    images = [image for image in built if image not in public]
    if images:
        yield (
            "Images that are built from the stack file and are in no registry, unless you push "
            "them: push each and name it in `kubernetes.image`, or bring it to the nodes "
            "(`kind load docker-image`, `minikube image load`, `ctr -n k8s.io images import`):"
        )
        yield "\n".join(f"- `{image}`" for image in images)
    if public:
        names = ", ".join(f"`{image}`" for image in public)
        yield (
            f"The nodes take {names} from Docker Hub; what the stack file builds under these names "
            "is for engines that cannot."
        )
    yield (
        "Images of a registry that asks who one is: once the namespace is there, for all pods of "
        "the stack's services:"
    )
    yield _code(*_pull_secret(namespace))
    yield "NetworkPolicies hold where the cluster's network enforces them (Calico, Cilium, …)."


def _pull_secret(namespace: str) -> Iterator[str]:
    yield (
        f"kubectl create secret docker-registry registry -n {namespace} "
        "--docker-server=REGISTRY --docker-username=USER --docker-password=TOKEN"
    )
    yield (
        f"kubectl patch serviceaccount default -n {namespace} "
        """-p '{"imagePullSecrets": [{"name": "registry"}]}'"""
    )


def _secrets(stack: Stack, namespace: str, folder: str) -> Iterator[str]:
    files = secret_files(stack)
    if not files:
        yield "None."
        return
    yield (
        "No value is in these files. `msctl --engine kubernetes up` makes the Secrets out of the "
        f"folder `{SECRETS_FOLDER.removeprefix('./')}` beside the stack file; by hand, from that "
        f"file's folder (`{folder}`), after `kubectl apply -f namespace.yaml`:"
    )
    made = [f"mkdir -p -m 700 {SECRETS_FOLDER.removeprefix('./')}"]
    for file, (name, template) in files.items():
        path = f"{SECRETS_FOLDER.removeprefix('./')}/{file}"
        plain = f"{SECRETS_FOLDER.removeprefix('./')}/{name}"
        made.append(f"[ -e {plain} ] || openssl rand -hex 24 | tr -d '\\n' > {plain}")
        if template is not None:
            made.append(
                f"[ -e {path} ] || python3 -c 'import sys; sys.stdout.write(sys.argv[1]"
                f'.replace("{{secret}}", open(sys.argv[2]).read().strip()))\' '
                f"{_quoted(template)} {plain} > {path}"
            )
        secret = secret_name(file)
        made.append(
            f"kubectl create secret generic {secret} -n {namespace} --from-file={file}={path} "
            "--dry-run=client -o yaml \\\n"
            f"  | kubectl label --local -f - {MANAGED_BY}=msctl {INSTANCE}={stack.name} -o yaml "
            f"\\\n  | {APPLY} -f -"
        )
    yield _code(*dict.fromkeys(made))
    yield (
        "Pods read a Secret when they start: after a change of one, `kubectl rollout restart -n "
        f"{namespace}` what mounts it. A database keeps the password that it was first given."
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _waits(stack: Stack, namespace: str) -> Iterator[str]:
    kinds = {"stateful": "statefulset", "routed": "deployment", "internal": "deployment"}
    if stack.routed:
        yield f"kubectl rollout status -n {namespace} deployment/{GATEWAY_NAME}"
    for name, service in stack.services.items():
        if service.job:
            yield f"kubectl wait -n {namespace} --for=condition=complete job/{name}"
        else:
            yield f"kubectl rollout status -n {namespace} {kinds[service.kind]}/{name}"


def _access(stack: Stack, namespace: str) -> Iterator[str]:
    public = {
        name: public_name(name, service.kubernetes.service_type)
        for name, service in stack.services.items()
        if is_public(service) and service.kubernetes.service_type
    }
    forward = f"kubectl port-forward -n {namespace}"
    lines = [f"kubectl get service {name} -n {namespace}" for name in public.values()]
    if stack.routed:
        lines.append(f"{forward} service/{GATEWAY_NAME} 8443:443" if stack.gateway.tls_on else "")
        lines.append(f"{forward} service/{GATEWAY_NAME} 8080:8080  # dashboard: /dashboard/")
    for name, service in stack.services.items():
        if service.stateful and (ports := ports_of(service)):
            number = next(iter(ports.values()))[0]
            lines.append(f"{forward} service/{name} {number}:{number}")
    yield "Outside addresses, and what is reached from this machine alone:"
    yield _code(*filter(None, lines))
    if public:
        yield (
            f"{_and(public)} speak{'s' if len(public) == 1 else ''} HTTP: HTTPS is for the load "
            "balancer before it, or an Ingress of the cluster's that leads to it."
        )


def _and(names: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _notes(stack: Stack) -> Iterator[str]:
    found = list(notes(stack))
    if any(service.routes and service.health for service in stack.services.values()):
        found.append(
            "A replica's readiness probe is what the gateway goes by: Traefik has no health checks "
            "of its own for Services of a cluster"
        )
    if any(service.rate_limit or service.in_flight for service in stack.services.values()):
        found.append("Each replica of the gateway counts `rate_limit` and `in_flight` by itself")
    if any(service.needs for service in stack.services.values()):
        found.append(
            "`needs` is the order in which these files name things; Kubernetes starts all at once, "
            "and what cannot work yet fails its probes, or is started again, until it can"
        )
    if found:
        yield "## What is otherwise here"
        yield "\n".join(f"- {re.sub(chr(10), ' ', note)}." for note in found)


def _code(*lines: str) -> str:
    return "\n".join(["```bash", *lines, "```"])
