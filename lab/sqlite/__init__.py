"""Django's database backend for SQLite, with a queue before its write lock: `ENGINE` names this package."""
