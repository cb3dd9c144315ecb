# SPDX-License-Identifier: MIT
"""The same walk through a desk on each database that it may have."""
from pushing import Postgresql
from tap import skip


def on_both_databases(walk):
    """walk(NAME, URL, ROWS) on SQLite, where URL and ROWS are None, and on PostgreSQL, where ROWS(sql) asks
    the server; of SQLite the desk itself does that (PushDesk.rows)."""
    walk("SQLite", None, None)
    server = Postgresql()
    if server.url is None:
        skip("the same on PostgreSQL", server.why)
    else:
        walk("PostgreSQL", server.url, server.rows)
