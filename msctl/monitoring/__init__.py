"""What a stack's gateway and replicas had to do: asked of Prometheus, and told to it."""
