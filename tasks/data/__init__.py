"""Data that several tasks read: the cache, embedded images and videos, shares of a set."""
