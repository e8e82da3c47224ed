"""A module a command, each with its name; it parses, calls and shows."""
