"""limner trains picture generators on a person's own pictures, and publishes each picture with its papers."""

__all__ = ["__version__"]

__version__ = "0.1.0"
