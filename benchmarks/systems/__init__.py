"""The systems that are compared: training, prediction, start-up, and how they are measured."""
