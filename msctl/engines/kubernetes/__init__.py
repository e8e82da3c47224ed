"""A stack in a Kubernetes cluster, which does its rollouts itself."""
