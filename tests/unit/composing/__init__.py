"""Compose documents, whose hashes msctl and Docker Compose have to agree on."""
