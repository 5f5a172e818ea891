"""The classroom: who may come in at the room's door, whose cluster is whose, and what an instructor sees of all."""
