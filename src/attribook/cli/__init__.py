"""The `attribook` command."""
