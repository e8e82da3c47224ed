"""The stack file that `msctl init` writes."""

from __future__ import annotations

import re

from msctl.fields import check_project

_STARTER = """\
# A stack for msctl. `msctl check` checks this file, `msctl up` starts what it describes,
# `msctl schema` prints all keys. ${VAR} and ${VAR:-default} work everywhere: from the
# environment, or from a file .env beside this one.
#
# Images are used where they are present, else pulled, else built. Where there is no registry:
# `docker load -i IMAGES.tar`, or a `build` for each service, and for the gateway.
name: NAME

# Who can talk to whom. Services are in the first one; those with routes in `gateway` too, where
# the gateway reaches nobody else. The database is reached by what needs it.
networks: [backend, gateway, data]

gateway:
  # build: ./traefik        # builds traefik:v3.7 where it cannot be pulled
  http: ${HTTP_PORT:-80}    # published ports, [HOST:]PORT or off
  https: ${HTTPS_PORT:-443}
  dashboard: 127.0.0.1:8080 # Traefik's API and dashboard
  tls:
    mode: self-signed       # or off, files (cert, key), acme (email)

services:
  # Routed: the gateway leads http(s)://HOST/ to the replicas.
  web:
    image: traefik/whoami:v1.11
    # build: ./web          # builds the image where it is neither present nor to be pulled
    port: 80                # the container's port
    routes:
      - path: /
      # - {path: /api, strip: true, host: www.example.org}
    # rate_limit: {average: 100, burst: 200} # for each client address, a second
    replicas: {initial: 2, min: 1, max: 6}
    resources: {cpus: 0.5, memory: 128M}
    # sticky: web_session   # a cookie that keeps a client on its replica
    health:
      path: /health
      interval: 10s
      command: none         # the image has no shell to ask from inside; the gateway asks
    needs: [database]
    networks: [gateway, data] # the first is the gateway's

  # Stateful: one replica, reached by its name from the services of its networks.
  database:
    image: postgres:15
    stateful: true
    networks: [data]
    env:
      POSTGRES_USER: NAME
      POSTGRES_PASSWORD_FILE: /run/secrets/database_password
    secrets: [database_password] # made by the first `msctl up`, kept in .msctl/secrets/
    volumes: ["database:/var/lib/postgresql/data"]
    health:
      command: [pg_isready, -U, NAME]
"""


def starter(name: str) -> str:
    """A commented stack file of two services for the project `name`.

    Raises:
        Wrong: `name` is no project name; the message says what is one.
    """
    return re.sub(r"\bNAME\b", check_project(name), _STARTER)
