"""Items, methods and metrics on a model: studies, rows, protocols."""
