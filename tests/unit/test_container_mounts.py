"""What a container mounts, as the engine's create call is told it."""

from __future__ import annotations

import pytest
from bodies import body

from msctl.errors import UsageProblem


def test_mounts_are_told_in_the_engines_own_form() -> None:
    """Named volumes by the engine's name, folders of the host so that they are made where missing,
    secrets read-only under /run/secrets."""
    found = body(
        {
            "volumes": [
                "data:/data",
                "cache:/cache:nocopy",
                "./conf:/conf:ro",
                "/anonymous",
                {"type": "tmpfs", "target": "/tmp", "tmpfs": {"size": "1M"}},
            ],
            "secrets": ["key", {"source": "cert", "target": "/etc/cert"}],
        },
        volumes={"data": None, "cache": {"name": "shared"}},
        secrets={"key": {"file": "./key"}, "cert": {"file": "./cert"}},
    )["HostConfig"]
    assert found["Binds"] == ["/srv/shop/conf:/conf:ro"]
    assert found["Mounts"] == [
        {"Type": "volume", "Target": "/data", "ReadOnly": False, "Source": "shop_data"},
        {
            "Type": "volume",
            "Target": "/cache",
            "ReadOnly": False,
            "Source": "shared",
            "VolumeOptions": {"NoCopy": True},
        },
        {"Type": "volume", "Target": "/anonymous", "ReadOnly": False},
        {
            "Type": "tmpfs",
            "Target": "/tmp",
            "ReadOnly": False,
            "TmpfsOptions": {"SizeBytes": 1 << 20},
        },
        {
            "Type": "bind",
            "Source": "/srv/shop/key",
            "Target": "/run/secrets/key",
            "ReadOnly": True,
        },
        {"Type": "bind", "Source": "/srv/shop/cert", "Target": "/etc/cert", "ReadOnly": True},
    ]


def test_no_option_of_a_mount_is_dropped() -> None:
    """What SELinux, propagation, a mode or a folder of a volume are said to be counts in the hash,
    so it has to be in the container."""
    found = body(
        {
            "volumes": [
                "./a:/a:ro,z",
                "./b:/b:rslave",
                {"type": "bind", "source": "/c", "target": "/c", "bind": {"recursive": "disabled"}},
                {
                    "type": "bind",
                    "source": "/d",
                    "target": "/d",
                    "bind": {"create_host_path": False, "propagation": "rshared"},
                },
                {"type": "tmpfs", "target": "/t", "tmpfs": {"mode": 0o1777}},
                {
                    "type": "volume",
                    "source": "data",
                    "target": "/v",
                    "volume": {"subpath": "s", "labels": {"x": "y"}},
                },
            ]
        },
        volumes={"data": None},
        api=(1, 45),
    )["HostConfig"]
    assert found["Binds"] == ["/srv/shop/a:/a:ro,z", "/srv/shop/b:/b:rw,rslave"]
    options = [
        {key: value for key, value in mount.items() if key.endswith("Options")}
        for mount in found["Mounts"]
    ]
    assert options == [
        {"BindOptions": {"NonRecursive": True, "CreateMountpoint": True}},
        {"BindOptions": {"Propagation": "rshared"}},
        {"TmpfsOptions": {"Mode": 0o1777}},
        {"VolumeOptions": {"Subpath": "s", "Labels": {"x": "y"}}},
    ]


def test_a_folder_of_a_volume_needs_a_newer_engine() -> None:
    """An older one would mount the whole volume, and say nothing."""
    mount = {"type": "volume", "source": "d", "target": "/v", "volume": {"subpath": "s"}}
    with pytest.raises(UsageProblem, match="a subpath needs Docker 26"):
        body({"volumes": [mount]}, volumes={"d": None})
