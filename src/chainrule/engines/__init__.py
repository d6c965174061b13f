"""Engines execute training runs: they take a network, settings and data, and advance a state."""
