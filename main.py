"""Start drivaer: ``python main.py predict car.stl``; ``python main.py --help`` lists the commands."""

import sys

from drivaer_app.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
