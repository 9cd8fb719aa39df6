"""The search index, favourites and the trash: what the first migration did not foresee."""

SQL = """
-- nothing yet
"""
