"""Statistics of every page and of the ledger: a tidy frame goes in, estimates and decisions come out."""
