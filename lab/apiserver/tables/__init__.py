"""What the API server prints for `kubectl get`: the server, not the client, decides on columns and cells.

Pure: an object and the time give cells. A client that asks for `as=Table` gets rows; kubectl only lines them up, and
shows the columns of priority 1 for `-o wide`. Must never read the store. Rules follow `pkg/printers/internalversion`.
"""

from .table import SCALE, Columns, columns_for, partial_metadata, row, table

__all__ = ["SCALE", "Columns", "columns_for", "partial_metadata", "row", "table"]
