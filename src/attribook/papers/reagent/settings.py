"""What the pages of ReAGent's part have in common: its metrics, as columns name them and as sentences do."""

METRICS = {"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"}
