"""Code that the tools of both models share."""
