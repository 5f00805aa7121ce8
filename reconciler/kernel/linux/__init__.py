"""The real transport: Linux, by its own system calls."""

from reconciler.kernel.linux.transport import LinuxTransport

__all__ = ["LinuxTransport"]
