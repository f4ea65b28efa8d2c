"""The portraits: a style-based GAN that was trained on images of the phantom's renderer."""
