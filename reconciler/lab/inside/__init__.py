"""Programs that run inside the lab's machines. Each needs the standard library alone and is run by path."""
