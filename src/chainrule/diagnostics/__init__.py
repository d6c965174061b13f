"""Diagnostics: see every number of a network at work, and check that its gradient is right."""
