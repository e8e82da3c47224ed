"""Runs the service, or asks a gRPC server for its health.

python3 -m sample                            run; settings in the environment, see `config`
python3 -m sample --check-grpc [HOST:PORT]   exit 0 when it answers SERVING (127.0.0.1:$PORT)
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

from . import config


def main(arguments: list[str]) -> int:
    """The exit status: 0 after a graceful stop, 1 failed, 2 bad settings or arguments."""
    # the first process of a container ignores SIGTERM unless it handles it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        settings = config.read(os.environ)
    except config.SettingError as error:
        print(f"sample: {error}", file=sys.stderr)
        return 2
    match arguments:
        case []:
            return _serve(settings)
        case ["--check-grpc"]:
            return _check_grpc(f"127.0.0.1:{settings.port}")
        case ["--check-grpc", target]:
            return _check_grpc(target)
        case _:
            print(__doc__, file=sys.stderr)
            return 2


def _serve(settings: config.Settings) -> int:
    if settings.misbehaviour.crash_at == 0:
        print(f"{settings.name}: crashing, as told by MISBEHAVE", file=sys.stderr)
        return 1
    time.sleep(settings.misbehaviour.start_delay)
    if settings.protocol == "grpc":
        from . import grpc_server

        return grpc_server.run(settings)
    # connections wait in the socket's queue while the rest is being imported
    listener = _listen(settings.port)
    from . import http_server

    return http_server.run(settings, listener)


def _listen(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        return socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024
        )
    return socket.create_server(("0.0.0.0", port), backlog=1024)


def _check_grpc(target: str) -> int:
    from . import grpc_health

    status, problem = grpc_health.ask(target, timeout=3)
    print(problem or status.name, file=sys.stderr if problem else sys.stdout)
    return 0 if status is grpc_health.Status.SERVING else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
