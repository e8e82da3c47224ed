"""Certificates on this machine: the stack's own authority, and files that the user has."""
