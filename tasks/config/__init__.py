"""From a composed config to the values of a plan: checks, stages, model names, digests."""
