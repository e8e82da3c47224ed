"""Files of the user's machine: of the user's alone, those that containers mount, and the lock."""
