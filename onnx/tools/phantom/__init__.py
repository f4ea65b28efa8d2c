"""The phantom: an analytic portrait generator whose truth is known exactly."""
