"""msctl runs a microservice stack behind Traefik on a Docker engine."""

__version__ = "0.1.0"
