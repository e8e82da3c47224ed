"""Steps done on one engine: a module for each kind of thing that is on it."""
