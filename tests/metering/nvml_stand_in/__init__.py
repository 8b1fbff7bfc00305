"""NVML's C library as a test has it: compiled once, driven by a state file."""
