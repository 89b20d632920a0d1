"""The commands of ``winnow``: each parses its call, asks one stage, and prints. Heavy imports stand inside them."""
