"""Systems that are compared: how each trains, predicts and starts, and how that is measured."""
