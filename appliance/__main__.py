"""`python -m appliance` is the `shoebox` command."""

import sys

from appliance.cli import main

if __name__ == "__main__":
    sys.exit(main())
