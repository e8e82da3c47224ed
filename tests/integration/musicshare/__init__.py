"""MusicShare whole, once for all modules here."""
