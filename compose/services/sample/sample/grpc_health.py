"""The messages and the client of grpc.health.v1, encoded by hand: one string, one enumeration.

Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import enum
from typing import Any

SERVICE = "grpc.health.v1.Health"


class Status(enum.IntEnum):
    """HealthCheckResponse.ServingStatus."""

    UNKNOWN = 0
    SERVING = 1
    NOT_SERVING = 2
    SERVICE_UNKNOWN = 3


def encode_request(service: str) -> bytes:
    """HealthCheckRequest{string service = 1}."""
    name = service.encode()
    return b"\x0a" + _varint(len(name)) + name if name else b""


def decode_request(message: bytes) -> str:
    """The service asked for; "" means the server as a whole."""
    for number, value in _fields(message):
        if number == 1 and isinstance(value, bytes):
            return value.decode()
    return ""


def encode_response(status: Status) -> bytes:
    """HealthCheckResponse{ServingStatus status = 1}."""
    return b"\x08" + _varint(status) if status else b""


def decode_response(message: bytes) -> Status:
    """A status that this code does not know is UNKNOWN."""
    for number, value in _fields(message):
        if number == 1 and isinstance(value, int):
            return Status(value) if value <= Status.SERVICE_UNKNOWN else Status.UNKNOWN
    return Status.UNKNOWN


def channel(target: str) -> Any:
    """A channel to HOST:PORT that is not encrypted and uses no proxy."""
    import grpc

    return grpc.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)])


def check(open_channel: Any, service: str, timeout: float) -> Status:
    """Calls Health/Check; raises grpc.RpcError when that fails."""
    call = open_channel.unary_unary(
        f"/{SERVICE}/Check",
        request_serializer=encode_request,
        response_deserializer=decode_response,
    )
    status: Status = call(service, timeout=timeout)
    return status


def ask(target: str, timeout: float) -> tuple[Status, str | None]:
    """The status of the server at HOST:PORT, and why it is UNKNOWN if it could not be asked."""
    import grpc

    with channel(target) as opened:
        try:
            return check(opened, "", timeout), None
        except grpc.RpcError as error:
            return Status.UNKNOWN, f"{target}: {error.code().name}: {error.details()}"


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fields(message: bytes) -> list[tuple[int, int | bytes]]:
    """Numbers and values; raises ValueError on wire types that these messages never have."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        value, at = _read_varint(message, at)
        match tag & 7:
            case 0:
                found.append((tag >> 3, value))
            case 2:
                found.append((tag >> 3, message[at : at + value]))
                at += value
            case wire_type:
                raise ValueError(f"wire type {wire_type} in a health message")
    return found


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("health message ends too early")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
