"""The lab: a local page in which back-propagation can be touched."""
