"""Shoebox looks at every photo and video a family sends it and writes down what is in them."""

__version__ = "0.1.0"
