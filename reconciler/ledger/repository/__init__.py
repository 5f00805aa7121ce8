"""A repository's raw objects and history, read through git and believed no further than their ids."""
