"""The command line as a module: ``python -m chainrule``."""

from .cli import main

if __name__ == "__main__":
    main()
