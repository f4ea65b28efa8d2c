"""The attributes that both models know, and the spaces of their boundaries."""

ATTRIBUTES = ("pose", "smile", "age", "gender", "eyeglasses")
"""The five attributes, in the column order of all scores and truths."""

SPACES = ("z", "w")


def others(attribute: str) -> tuple[str, ...]:
    """The other four attributes."""
    return tuple(name for name in ATTRIBUTES if name != attribute)
