"""The paper's figures: one module each, one look, every function from frames to a Figure."""
