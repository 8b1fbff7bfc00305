"""Records of many people: bundles to give away without names, and whether to believe them.

record ─ anonymise ─ bundle ─ check (believe, copies) ─ leaderboard
"""
