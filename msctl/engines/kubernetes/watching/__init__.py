"""Waits of a plan under way: how far the cluster is, and why it gets no further."""
