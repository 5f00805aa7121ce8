"""A farm of nodes on one machine: real agents, real clones, real kernels, an "internet" between them."""
