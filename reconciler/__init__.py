"""tnet: tenant networks for a farm of Linux hosts, run from a Git repository."""

__version__ = "0.1.0"
