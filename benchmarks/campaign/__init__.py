"""The campaign that compares the engines: random cases, how results are compared, reduced and mutated."""
