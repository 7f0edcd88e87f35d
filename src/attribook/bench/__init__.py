"""Speed against other libraries and the machine's limit."""
