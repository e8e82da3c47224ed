"""What is asked for + what is there → plans. Pure."""
