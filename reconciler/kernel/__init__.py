"""The kernel as tnet sees it: a vocabulary of objects, and the ways to read and change them."""
