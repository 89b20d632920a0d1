"""The calls of the ``winnow`` command: options, arguments and help. What they do stands in `flows.commands`."""
