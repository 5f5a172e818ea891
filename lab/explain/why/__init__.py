"""Why a thing is as it is: cards in plain words, built from the decisions that the log has kept.

A card answers one question. Each of its grounds names the row of the log that says so: what no row says is not said.
"""

from .cards import of_object

__all__ = ["of_object"]
