"""The tests of chainrule, which mirror its source; ``helpers`` has what several of them share."""
