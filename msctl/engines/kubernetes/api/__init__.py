"""The Kubernetes API: where the cluster is, and the calls to it."""
