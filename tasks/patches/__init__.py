"""What we change in other libraries, a module a library, because they do not work as released.

Each module says what is wrong and when it can go; `tests/tasks/patches/` fails when a library
has changed so that its patch is no longer needed, or no longer fits.
"""
