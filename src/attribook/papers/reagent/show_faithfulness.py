"""Names of the soft metrics, for a page of Noiser that still reads them here."""

NAMES = {"soft_nc": "Soft-NC", "soft_ns": "Soft-NS"}
