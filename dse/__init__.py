"""Design-space exploration of DNN accelerators."""

__version__ = "0.1.0"
