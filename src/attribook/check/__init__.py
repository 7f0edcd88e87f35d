"""What is stored and committed, against what the code gives now."""
