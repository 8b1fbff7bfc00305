"""What ends a program of the user's that asks for something that cannot be done."""


class WattError(ValueError):
    """One line: the key, its value and the cure."""
