"""The loop on a node: what wakes it, what one pass does, and what it says about itself."""
