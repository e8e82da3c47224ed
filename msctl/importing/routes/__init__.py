"""Traefik's labels → the routes of services."""
