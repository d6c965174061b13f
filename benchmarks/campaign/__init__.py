"""The campaign that compares the engines: draws cases, compares results, shrinks failures, mutates the source."""
