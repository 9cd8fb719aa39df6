"""Uploads under way that survive a cut, and the film that belongs to a photo."""

SQL = """
-- nothing yet
"""
