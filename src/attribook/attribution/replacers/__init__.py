"""Where ReAGent's replaced tokens come from: the registry and one file a kind of source."""
