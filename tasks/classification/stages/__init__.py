"""Training steps other than plain supervised ones: one module per method."""
