"""The phantom: a generator of synthetic portraits, rendered by formulas, with known true values of all attributes."""
