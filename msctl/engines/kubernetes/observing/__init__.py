"""What is in the cluster, and what it says that a change would do."""
