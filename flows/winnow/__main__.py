"""``python -m winnow``: the ``winnow`` command."""

from winnow.cli.main import main

if __name__ == "__main__":
    main()
