"""Everything Winnow raises on purpose.

WinnowError
├── UsageError              the call is wrong: a path, an option, a name that does not exist      exit 2
│   ├── RecipeError         winnow.toml: unknown key, wrong type, value out of range
│   └── EmptyInput          nothing to read under the input root
├── ReadError               one document could not be read; becomes a reject, never ends a run
├── LedgerError             edits do not fit the text they are replayed on
├── ContractBroken          rows do not fit their table's schema: a fault of Winnow
├── DatasetError            the dataset on disk is not as its manifest says
│   ├── DatasetBusy         another run holds the dataset
│   └── SchemaConflict      a table's columns cannot become the schema's without loss
├── DiskFull                no room for the next version; the last one stays whole
├── ServerGone              the Prefect server went away before the run could begin               exit 3
└── GateHeld                a dataset-level expectation failed; the version was not published     exit 1
"""


class WinnowError(Exception):
    """Base of all errors that Winnow raises on purpose; its text is fit to show to a user as it is."""

    exit_code = 1


class UsageError(WinnowError):
    """The call is wrong; nothing was done."""

    exit_code = 2


class RecipeError(UsageError):
    """A setting is unknown or out of range; the text names the file, the key and the remedy."""


class EmptyInput(UsageError):
    """There is nothing to read under the input root."""


class ReadError(WinnowError):
    """One document could not be read; ``kind``, a snake_case name, is kept in ``rejects.expectation``."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class LedgerError(WinnowError):
    """Edits do not fit the text they are replayed on."""


class ContractBroken(WinnowError):
    """Rows do not fit their table's schema; the text names table, column and row."""


class DatasetError(WinnowError):
    """The dataset on disk is not as its manifest says."""


class DatasetBusy(DatasetError):
    """Another run holds the dataset."""


class SchemaConflict(DatasetError):
    """A table's columns cannot become the schema's without loss."""


class DiskFull(WinnowError):
    """There is no room on the disk of the dataset; the text names the remedy."""


class ServerGone(WinnowError):
    """The Prefect server went away before the run could begin."""

    exit_code = 3


class GateHeld(WinnowError):
    """A dataset-level expectation failed; the version was not published."""
