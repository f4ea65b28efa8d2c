"""Makes the portraits: a style-based GAN that learned from pictures the phantom's renderer drew."""
