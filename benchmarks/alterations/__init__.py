"""The campaign of altered files: valid examples, how they are altered, and how a mutant is read."""
