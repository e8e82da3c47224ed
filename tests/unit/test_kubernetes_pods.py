"""A service's pods: what runs in them, as whom, and on which files."""

from __future__ import annotations

import pytest
from manifests import check, found, names, pod, web
from memory.stacks import shop, stack_of

from msctl.render import kubernetes
from msctl.render.kubernetes.images import known
from msctl.render.kubernetes.quantities import cpus, literal, size


def test_the_namespace_stands_in_files_for_kubernetes_alone() -> None:
    """A file that both engines mount is the same on both, byte for byte."""
    text = b"in ${KUBERNETES_NAMESPACE} for $1"
    stack = web(volumes=["./a:/a:ro"], kubernetes={"user": 1, "volumes": ["./b:/b:ro"]})
    objects = kubernetes.objects(stack, {"./a": {"": text}, "./b": {"": text}}, namespace="blue")
    data = found(objects, "ConfigMap", "web-files")["data"]
    assert sorted(data.values()) == ["in ${KUBERNETES_NAMESPACE} for $1", "in blue for $1"]


def test_life_of_a_replica() -> None:
    """A pod that ends drains first, by the sleep of the kubelet, and then has its own grace."""
    spec = pod(web(rollout={"drain": "7s"}, stop_grace="4s"))
    assert spec["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}
    assert spec["terminationGracePeriodSeconds"] == 11
    assert "lifecycle" not in pod(web(rollout={"drain": "0s"}))["containers"][0]
    database = pod(shop(), "db", "StatefulSet")
    assert "lifecycle" not in database["containers"][0]


def test_what_holds_data_has_time_to_end_and_to_begin() -> None:
    """Thirty seconds to write it down unless the file says how long; and ten minutes at least to
    recover, before a start counts as failed."""
    data = {"image": "db", "stateful": True, "health": {"command": ["ok"]}}
    spec = pod(stack_of({"db": data}), "db", "StatefulSet")
    assert spec["terminationGracePeriodSeconds"] == 30
    probe = spec["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 600
    brief = pod(stack_of({"db": {**data, "stop_grace": "5s"}}), "db", "StatefulSet")
    assert brief["terminationGracePeriodSeconds"] == 5


def test_probes() -> None:
    """Readiness is the health check; liveness is twice as patient; the start has its own time."""
    health = {"path": "/health", "interval": "4s", "timeout": "1500ms", "retries": 2}
    (container,) = pod(web(health=health, rollout={"health_timeout": "30s"}))["containers"]
    asked = {"httpGet": {"path": "/health", "port": 80}, "timeoutSeconds": 2}
    assert container["readinessProbe"] == {**asked, "periodSeconds": 4, "failureThreshold": 2}
    assert container["livenessProbe"] == {**asked, "periodSeconds": 4, "failureThreshold": 4}
    assert container["startupProbe"] == {**asked, "periodSeconds": 1, "failureThreshold": 30}
    (other,) = pod(web(health={"command": ["ok", "now"]}))["containers"]
    assert other["livenessProbe"]["exec"] == {"command": ["ok", "now"]}
    (grpc,) = pod(web(health={"grpc": True}))["containers"]
    assert grpc["readinessProbe"]["grpc"] == {"port": 80}
    (bare,) = pod(web())["containers"]
    assert bare["readinessProbe"]["tcpSocket"] == {"port": 80}
    assert "livenessProbe" not in bare


def test_security_by_what_is_known_of_the_image() -> None:
    """Images whose user is known fit the restricted profile, and the namespace says so; one
    unknown image makes it the baseline."""
    stack = stack_of(
        {"web": {"port": 80, "kubernetes": {"user": 10001}}, "db": {"image": "postgres:15"}}
    )
    spec = pod(stack)
    assert spec["securityContext"]["runAsUser"] == spec["securityContext"]["fsGroup"] == 10001
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["sysctls"][0]["name"] == "net.ipv4.ip_unprivileged_port_start"
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(stack, "db")["securityContext"]["runAsUser"] == 999
    profile = "pod-security.kubernetes.io/enforce"
    assert kubernetes.objects(stack)[0]["metadata"]["labels"][profile] == "restricted"
    unknown = web()
    assert kubernetes.objects(unknown)[0]["metadata"]["labels"][profile] == "baseline"
    assert "runAsNonRoot" not in pod(unknown)["securityContext"]


@pytest.mark.parametrize(
    ("image", "user"),
    [
        ("postgres:15", 999),
        ("docker.io/library/postgres", 999),
        ("prom/prometheus:v3.5.0@sha256:" + "0" * 64, 65534),
        ("registry:5000/postgres:15", None),
        ("musicshare/userservice:latest", None),
    ],
)
def test_known_images(image: str, user: int | None) -> None:
    """An image is known by its repository on Docker Hub, whatever its version."""
    what = known(image)
    assert (what and what.user) == user


def test_volumes() -> None:
    """A stateful service's own volume is claimed by its StatefulSet; a shared one once, for many
    nodes; tmpfs and nameless ones are scratch space."""
    stack = stack_of(
        {
            "db": {"stateful": True, "volumes": ["own:/data", "both:/both"]},
            "web": {
                "volumes": [
                    "both:/see:ro",
                    "/cache",
                    {"type": "tmpfs", "target": "/run/x", "tmpfs": {"size": "64M"}},
                ],
                "kubernetes": {"storage": "2G"},
            },
        }
    )
    objects = kubernetes.objects(stack)
    claims = found(objects, "StatefulSet", "db")["spec"]["volumeClaimTemplates"]
    assert [claim["metadata"]["name"] for claim in claims] == ["own"]
    assert claims[0]["spec"]["accessModes"] == ["ReadWriteOnce"]
    shared = found(objects, "PersistentVolumeClaim", "both")["spec"]
    assert shared["accessModes"] == ["ReadWriteMany"]
    assert shared["resources"]["requests"]["storage"] == "8Gi"
    spec = pod(stack)
    assert {"name": "both", "mountPath": "/see", "readOnly": True} in spec["containers"][0][
        "volumeMounts"
    ]
    scratch = [volume["emptyDir"] for volume in spec["volumes"] if "emptyDir" in volume]
    assert scratch == [{}, {"medium": "Memory", "sizeLimit": "64Mi"}]


def test_files_become_a_config_map() -> None:
    """Files that are only read are in a ConfigMap, folders with their paths; the pod changes with
    them; a mount of the key `kubernetes` replaces the one at its place."""
    stack = stack_of(
        {
            "web": {
                "volumes": ["./a.conf:/etc/a.conf:ro", "./rules:/etc/rules:ro"],
                "kubernetes": {"volumes": ["./b.conf:/etc/a.conf:ro"]},
            }
        }
    )
    contents = {
        "./a.conf": {"": b"a"},
        "./b.conf": {"": b"b"},
        "./rules": {"one.yml": b"1", "deep/two.bin": b"\xff"},
    }
    objects = kubernetes.objects(stack, contents)
    config = found(objects, "ConfigMap", "web-files")
    check([config])
    assert sorted(config["data"].values()) == ["1", "b"]
    assert list(config["binaryData"].values()) == ["/w=="]
    spec = pod(stack, contents=contents)
    paths = [item["path"] for v in spec["volumes"] for item in v["configMap"]["items"]]
    assert paths == ["a.conf", "one.yml", "deep/two.bin"]
    assert [m.get("subPath") for m in spec["containers"][0]["volumeMounts"]] == ["a.conf", None]
    changed = kubernetes.objects(stack, {**contents, "./b.conf": {"": b"c"}})
    notes = [
        found(every, "Deployment", "web")["spec"]["template"]["metadata"]["annotations"]
        for every in (objects, changed)
    ]
    assert notes[0] != notes[1]


def test_environment_and_commands_are_taken_literally() -> None:
    """Kubernetes puts nothing in for `$(NAME)`, and words are those of Compose."""
    assert literal("a$(B)$$c") == "a$$(B)$$$$c"
    stack = stack_of(
        {"web": {"env": {"A": "$(B)"}, "command": "run 'a b'", "entrypoint": ["/e", "$(X)"]}}
    )
    (container,) = pod(stack)["containers"]
    assert container["env"] == [{"name": "A", "value": "$$(B)"}]
    assert (container["command"], container["args"]) == (["/e", "$$(X)"], ["run", "a b"])


def test_a_job_runs_once() -> None:
    """A job is a Job, tried again as often as its restart policy says, and no Service."""
    stack = stack_of({"migrate": {"job": True, "restart": "on-failure:5"}})
    objects = kubernetes.objects(stack)
    spec = found(objects, "Job", "migrate")["spec"]
    assert spec["backoffLimit"] == 5
    assert spec["template"]["spec"]["restartPolicy"] == "OnFailure"
    assert names(objects, "Service") == []


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "500m"), (2, "2"), (0.0001, "1m"), (1.25, "1250m")]
)
def test_processors(value: float, text: str) -> None:
    """Thousandths, or whole ones."""
    assert cpus(value) == text


@pytest.mark.parametrize(("value", "text"), [(512 * 1024**2, "512Mi"), (1000, "1000")])
def test_sizes(value: int, text: str) -> None:
    """Powers of 1024, as the stack file's."""
    assert size(value) == text
