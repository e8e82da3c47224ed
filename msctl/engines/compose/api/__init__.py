"""The Docker Engine API: where the engine is, and the calls to it."""
