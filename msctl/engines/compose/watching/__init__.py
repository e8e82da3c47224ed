"""Waits of a plan under way: when they are over, or never will be."""
