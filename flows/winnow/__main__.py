"""``python -m winnow``: the ``winnow`` command."""

from winnow.cli.main import command

if __name__ == "__main__":
    command()
