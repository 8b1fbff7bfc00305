"""The paper's numbers held against what other people measured: findings, each with its basis."""
