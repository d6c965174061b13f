"""Engines: who executes a run. They take a network, settings and data, and move a state."""
