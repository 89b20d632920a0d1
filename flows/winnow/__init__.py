"""Winnow: batch text cleaning that an analyst can trust. Start reading at `winnow.build`."""

import os

# Arrow's and polars' own pools keep what one stage took for as long as the process lives, and the stages' peaks would
# add up. Both read this when they are loaded, so it stands before anything else; what a user has set stays.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0")
