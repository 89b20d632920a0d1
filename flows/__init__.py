"""Winnow: batch text cleaning that an analyst can trust. Start reading at `flows.build`."""
