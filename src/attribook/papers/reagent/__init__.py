"""ReAGent."""
