"""What other people measured and published: a fourth kind of number, `independent_*`."""
