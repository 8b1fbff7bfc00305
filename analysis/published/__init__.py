"""What the paper says, each number with its source."""
