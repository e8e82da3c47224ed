"""The files of a Compose file → one document, whose values know where they were written."""
