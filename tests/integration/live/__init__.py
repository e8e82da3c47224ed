"""Stacks on the real engine, run as a user runs them and looked at from outside."""

from __future__ import annotations

from live.client import Visitor
from live.metrics import prometheus
from live.ports import free_port
from live.private import PrivateEngine
from live.run import MSCTL, Result, Running, environment, until
from live.screen import Screen
from live.stack import (
    GATEWAY_IMAGE,
    PROMETHEUS_IMAGE,
    PROXY_IMAGE,
    REPOSITORY,
    SAMPLE,
    NewStack,
    Stack,
    service,
)

__all__ = [
    "GATEWAY_IMAGE",
    "MSCTL",
    "PROMETHEUS_IMAGE",
    "PROXY_IMAGE",
    "REPOSITORY",
    "SAMPLE",
    "NewStack",
    "PrivateEngine",
    "Result",
    "Running",
    "Screen",
    "Stack",
    "Visitor",
    "environment",
    "free_port",
    "prometheus",
    "service",
    "until",
]
