"""Everything the library holds: all SQL, and only SQL, and the files on disk."""
