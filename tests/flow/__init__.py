"""Tests that cross the whole lab, as its users do: by its commands, its addresses and its processes."""
