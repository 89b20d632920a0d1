"""A dataset on object storage: a local working copy is pulled, worked on as any dataset, and pushed under a lease.

Every file of a dataset stands under its own name: an object ``tables/...`` or ``v3/...`` is the file of that
name. Two objects are the store's own:

* ``latest.json`` names the last version and the SHA-256 of its manifest. It is the commit point, replaced only by who
  read what stood there; a view above it does not count and is swept away.
* ``.lock.json`` is the lease of the one writer, renewed while it writes.

The lease keeps writers from doing work in vain. What keeps versions safe, also from a writer that was stopped for an
hour and does not know that its lease has run out, are conditional writes: commits of the Delta tables, the files of a
view and ``latest.json`` are only ever created where nothing stands, or replaced where stands what was read. Who takes
a lease that was not let go also writes ``latest.json`` anew, so that its last holder cannot replace it any more.

Not there, because they mean something on one machine only: staging (but for the call of a held run), the file lock and
the link ``latest``.
"""
