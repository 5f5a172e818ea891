"""A database for one test alone, on the PostgreSQL that the tests share."""

import psycopg


def create_database(server: str, name: str) -> str:
    """Its DATABASE_URL; `server` is that of the `postgres` fixture."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{server.rpartition('/')[0]}/{name}"


def cut_connections(server: str, name: str) -> int:
    """Break every connection to that database, as a restart of PostgreSQL does; how many there were."""
    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(server, autocommit=True) as connection:
        return connection.execute(query, (name,)).fetchone()[0]
