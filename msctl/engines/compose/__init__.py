"""A stack on a Docker engine, compatible with Docker Compose; no change loses a request."""
