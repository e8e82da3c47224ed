"""What is on the engine, and on its machine."""
