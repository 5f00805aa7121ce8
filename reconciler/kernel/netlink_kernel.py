"""The engine's port to a kernel, over a transport."""
