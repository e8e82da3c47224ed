"""Steps done in a cluster."""
