"""The real kernel, through its sockets and files."""
