"""Figures, each beside the best that the same machine can do."""
