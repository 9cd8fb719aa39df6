"""Accounts, sessions, links and keys: what the first migration did not foresee."""

SQL = """
-- nothing yet
"""
