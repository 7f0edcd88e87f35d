"""What is known of each paper: printed cells, claims, protocols, settings."""
