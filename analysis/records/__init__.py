"""Records and CodeCarbon logs on disk to rows of one tidy DataFrame."""
