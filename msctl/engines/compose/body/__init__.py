"""What the engine's API is given to create a container. Pure."""
