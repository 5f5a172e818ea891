"""A database for one test alone, on the PostgreSQL that the tests share."""

import psycopg


def create_database(server: str, name: str) -> str:
    """Its DATABASE_URL; `server` is that of the `postgres` fixture."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server.rpartition('/')[0]}/{name}"
