"""A kernel in memory that speaks the same bytes as the real one."""
