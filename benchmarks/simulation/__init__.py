"""GPUs whose true energy is known, with what real ones do to a meter: ticks, lag, gaps, heat."""
