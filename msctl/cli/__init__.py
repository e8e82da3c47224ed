"""The command line: `group.cli` is the whole of it, `app.App` what it works with;
`commands` has a module for each."""
