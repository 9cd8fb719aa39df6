"""What the box remembers of itself: nights, temperatures, what it was told to do."""

SQL = """
-- nothing yet
"""
