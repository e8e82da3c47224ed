"""Stack → plain data: the Compose file, labels and pins for Traefik, objects for Kubernetes."""
