"""A load like that of many clients; everything that is not the expected answer is counted."""

from __future__ import annotations

from load.clients import Clients, Result
from load.requests import Requests, echo
from load.running import Load
from load.sessions import Sessions
from load.sockets import Sockets

__all__ = ["Clients", "Load", "Requests", "Result", "Sessions", "Sockets", "echo"]
