"""A dataset on object storage: a local working copy is pulled, worked on as any dataset, and pushed under a lease.

The copy has manifests, and of all else what was asked for: in place of files that it does not have stand pointers
(`winnow.base.pointers`), and of a version that nobody asked for yet, one in place of its manifest. Every file of a
dataset stands under its own name: an object ``tables/...`` or ``v3/...`` is the file of that name. Three objects are
the store's own:

* ``latest.json`` names the last version and the SHA-256 of its manifest. It is the commit point, replaced only by who
  read what stood there; a view above it does not count and is swept away.
* ``.lock.json`` is the lease of the one writer, renewed while it writes.
* ``.tags.json`` holds the tags under which the last writer knew objects to be the files of the manifests. A writer
  reads an object with another tag, or none, through its checksum before it goes on from it.

The lease keeps writers from doing work in vain. What keeps versions safe, also from a writer that was stopped for an
hour and does not know that its lease has run out, are conditional writes: commits of the Delta tables, the files of a
view and ``latest.json`` are only ever created where nothing stands, or replaced where stands what was read. Who takes
a lease that was not let go also writes ``latest.json`` anew, so that its last holder cannot replace it any more.

Not there, because they mean something on one machine only: staging (but for the call of a held run), the file lock and
the link ``latest``.
"""
