"""Start drivaer: the window; with a command, that. ``python main.py --help`` lists the commands."""

import sys

from drivaer_app.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
