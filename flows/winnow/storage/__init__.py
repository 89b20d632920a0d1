"""A dataset on object storage: each machine has a folder for it, a bounded cache that reads as any dataset.

The cache has the last version's manifest, and of all else what was asked for: in place of files that it does not have
stand pointers (`winnow.base.pointers`), and of a version that nobody asked for yet, one in place of its manifest. Who
reads brings it up to date (`pull`); who writes does that under a lease, works in it as in any dataset, and sends what
is new (`push`). Every file of a dataset stands under its own name: an object ``tables/...`` or ``v3/...`` is the file
of that name. Objects of the store's own are:

* ``latest.json`` names the last version and the SHA-256 of its manifest. It is the commit point, replaced only by who
  read what stood there; a view above it does not count and is swept away.
* ``.lock.json`` is the lease of the one writer, renewed while it writes. Who lets it go says whether something was left
  half done. Where nothing was, the next writer looks at the last version alone: it asks for no older manifest, and
  trusts logs and files of which the tags are those noted.
* ``.tags/v3.json`` holds the tags under which a writer knew objects to be the files of a version, and those of the
  logs as they stood then. A writer reads an object with another tag, or none, through its checksum before it goes on
  from it.

The lease keeps writers from doing work in vain. What keeps versions safe, also from a writer that was stopped for an
hour and does not know that its lease has run out, are conditional writes: commits of the Delta tables, the files of a
view and ``latest.json`` are only ever created where nothing stands, or replaced where stands what was read. Who takes
a lease that was not let go also writes ``latest.json`` anew, so that its last holder cannot replace it any more.

Not there, because they mean something on one machine only: staging (but for the call of a held run), the file lock and
the link ``latest``.
"""
