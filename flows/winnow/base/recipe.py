"""The settings of a run: what they are and what they may be, and their fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from winnow.base.recipe_values import check_charset, check_cron, check_time_zone, one_or_more, without_credentials

LanguageRange = Annotated[str, StringConstraints(pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")]


_Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[_Name, ...], BeforeValidator(one_or_more)]
"""One name or several, of which the first that is there counts."""
SomeNames = Annotated[Names, Field(min_length=1)]
Charset = Annotated[str, AfterValidator(check_charset)]
Delimiter = Annotated[str, StringConstraints(pattern=r'^[^"\r\n\\]$')]
IdScope = Literal["auto", "file", "source", "everywhere"]
FormatName = Literal[
    "text", "jsonl", "json", "html", "csv", "tsv", "eml", "mbox", "pdf", "docx", "odt", "rtf", "epub", "subtitles", "xml",
    "warc", "parquet",
]  # fmt: skip


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_truth(cls, value: object, info: ValidationInfo) -> object:
        """True is 1 to Python, and nobody means that."""
        kind = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and kind in (int, float, int | None, float | None):
            raise ValueError("is true or false, and should be a number")
        return value


# One setting a line, as in a table.
# fmt: off
class SourceSettings(Section):
    """Files that are read in their own way. The first entry whose glob fits a file counts; what it does not say is as in [read]."""

    glob: SomeNames = Field(description="Which files: globs of their path below the input; one without a slash is for names in any folder, ** crosses folders",
        examples=["shop/*.csv"])
    exclude: Names = Field((), description="Files that the glob fits and that are not meant")
    name: str | None = Field(None, min_length=1, description='What the entry is called, in names of documents where ids = "source"', examples=["shop"])
    format: FormatName | None = Field(None, description="What the files are, whatever their ending", examples=["csv"])
    text_field: SomeNames | None = Field(None, description="Fields that may hold the text", examples=[["body", "doc.text"]])
    id_fields: Names | None = Field(None, description="Fields that may name the record", examples=[["sku"]])
    title_field: Names | None = Field(None, description="Fields that may hold its title", examples=[["headline"]])
    date_fields: Names | None = Field(None, description="Fields that may date it", examples=[["updated"]])
    ids: IdScope | None = Field(None, description="Where an id is unique", examples=["file"])
    delimiter: Delimiter | None = Field(None, description="What stands between the fields of CSV", examples=[";"])
    charset: Charset | None = Field(None, description="Charset of bytes that are not UTF-8", examples=["cp1252"])

    @property
    def called(self) -> str:
        return self.name or ", ".join(self.glob)

    @model_validator(mode="after")
    def _fits_its_format(self) -> Self:
        for setting, formats in (("delimiter", ("csv", "tsv")), ("charset", ("text", "jsonl", "json", "html", "csv", "tsv"))):
            if self.format and getattr(self, setting) is not None and self.format not in formats:
                raise ValueError(f"{setting} is for {', '.join(formats)}, and format is {self.format!r}; take one of the two away")
        if self.ids == "source" and self.name is None:
            raise ValueError('ids = "source" needs a name, for documents are named NAME#ID')
        return self


class ReadSettings(Section):
    """How files become documents."""

    include: Names = Field((), description="Globs of files that are read, and no others; none named reads all that have a reader")
    exclude: Names = Field((), description="Globs of files that are not read, as **/drafts/** and *.bak.csv")
    text_field: SomeNames = Field(("text",), description="Field of a record (JSONL, CSV, Parquet) that holds its text: a name, a path such as doc.text, or several of which the first with a text counts")
    id_fields: Names = Field(("url", "id"), description="Fields that may name the record; the first present one does")
    title_field: Names = Field(("title",), description="Field of a record that holds its title, or several")
    date_fields: Names = Field(("collected_at", "date", "published_at", "timestamp"),
        description="Fields that may date the record, ISO 8601")
    ids: IdScope = Field("auto",
        description="Where an id is unique: everywhere; in its source, an entry of read.sources; in its file; auto takes a whole number for unique in its file, and any other id everywhere")
    delimiter: Delimiter | None = Field(None, description="What stands between the fields of CSV; found out where none is given", examples=[";"])
    charset: Charset | None = Field(None, description="Charset of bytes that are not UTF-8; found out where none is given", examples=["cp1252"])
    languages: tuple[LanguageRange, ...] = Field((), description="Documents in other languages are rejected (BCP 47 codes; sr takes in sr-ME); none named keeps all")
    max_document_mb: float = Field(64, gt=0, le=1024, description="Larger documents are rejected")
    max_unpacked_mb: float = Field(16_384, gt=0, description="A compressed file that unpacks to more is cut off and rejected")
    max_unpacked_ratio: float = Field(250, ge=1, description="So is one that unpacks to more than so many times its size, once that is over 64 MB")
    shard_mb: float = Field(16, gt=0, le=1024, description="Most input handed to a worker at a time")
    sources: tuple[SourceSettings, ...] = Field((), description="Files that are read in their own way")

    @model_validator(mode="after")
    def _names_its_source(self) -> Self:
        if self.ids == "source":
            raise ValueError('ids = "source" is for an entry of read.sources; here take "file" or "everywhere"')
        return self


class RuleSettings(Section):
    """Settings of one repair rule."""

    enabled: bool = Field(True, description="false switches the rule off")
    threshold: float | None = Field(None, ge=0, le=1, description="Confidence below which this rule only records a suspicion")


class RedactSettings(Section):
    """Personal data that is replaced by its kind, as in <EMAIL>. Off where no kind is named."""

    kinds: tuple[Literal["email", "ip", "phone", "iban", "card", "national_id"], ...] = Field((),
        description="What is replaced, in texts, titles and metadata", examples=[["email", "phone", "iban", "card"]])
    replace_by: Literal["kind", "hash"] = Field("kind",
        description="hash adds a keyed hash that is the same wherever the same person is named; its key comes from RUN_SECRET")
    phone_regions: tuple[Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")], ...] = Field(("US", "GB"),
        description="Countries whose numbers are known without their +, ISO 3166; the first that fits is taken")
    national_ids: tuple[Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")], ...] = Field(
        ("AR", "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CL", "CN", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR", "HR",
         "IE", "IL", "IN", "IS", "IT", "JP", "KR", "LT", "MX", "NL", "NO", "PL", "PT", "RO", "SE", "TH", "TR", "US", "ZA"),
        description="Countries whose identity numbers are known, ISO 3166")


class RepairSettings(Section):
    """Which damage is repaired, and how sure a rule must be."""

    threshold: float = Field(0.5, ge=0, le=1, description="Changes less sure than this are recorded as suspicions, not made")
    spacing: Literal["off", "near_damage", "everywhere"] = Field("near_damage",
        description="Where split and run-together words are repaired; everywhere suits OCR and PDF text")
    rules: dict[str, RuleSettings] = Field(default_factory=dict, description="Settings of single rules, by name")
    redact: RedactSettings = RedactSettings()


class DeduplicateSettings(Section):
    """What counts as a repeat. Shares are 0 to 1, lengths are in characters or words as the name says."""

    passages: bool = Field(True, description="Remove repeated passages")
    documents: bool = Field(True, description="Remove near-duplicate and contained documents")
    min_repeat_chars: int = Field(80, ge=1, description="A passage this long that stands again in another document is no coincidence")
    min_inner_repeat_chars: int = Field(40, ge=1, description="The same inside one document")
    min_run_sentences: int = Field(3, ge=2, description="Sentences in a row that count as a repeat inside longer passages")
    keep_meaningful_repeats: bool = Field(True,
        description="Keep what repeats for a reason, in a document or across them: answers, refrains, rows, formulas; false removes it too")
    passage_threshold: float = Field(0.9, gt=0, le=1,
        description="Verified Jaccard from which a passage repeats an earlier one of its document")
    # Of copies with 5 % of their words changed (Jaccard .60-.72) .99 are found at .47, .97 at .5, .94 at .55: it is not
    # the pair itself that is missed, but a third revision that keeps one of the two and is less close to the other.
    document_threshold: float = Field(0.47, gt=0, le=1, description="Verified Jaccard of word 5-grams from which a document is a copy")
    containment_threshold: float = Field(0.9, gt=0, le=1,
        description="Share of a document's 5-grams found in another from which it is contained")
    similar_threshold: float = Field(0.4, gt=0, le=1,
        description="Share of a document's 5-grams or 3-grams found in another from which both are listed in table similar")
    min_document_words: int = Field(30, ge=1, description="Documents with fewer words are compared exactly only")
    template_documents: int = Field(5, ge=2, description="Documents a passage must stand in to be set aside when two of them are compared: a template")
    boilerplate_documents: int = Field(20, ge=2, description="Documents of the whole batch a passage must stand in to be boilerplate")
    boilerplate_site_documents: int = Field(5, ge=2, description="Documents of one site a passage must stand in to be boilerplate there")
    boilerplate_site_share: float = Field(0.3, gt=0, le=1, description="Share of that site's documents it must stand in besides")
    promo_lines: bool = Field(True, description="Remove advertisement markers and promotion lines")
    fold_digits: bool = Field(False, description="Treat all digits alike when passages are compared")
    min_rest_chars: int = Field(40, ge=0, description="A document with less left after removal is a duplicate, not a row")
    keep: tuple[str, ...] = Field((), description="Passages that are never removed, compared after normalisation (legal formulas)")


class ValidateSettings(Section):
    """Limits of the gate and of single rows."""

    min_chars: int = Field(1, ge=0, description="Documents with less text after repair are rejected")
    max_chars: int = Field(20_000_000, ge=1, description="Documents with more text are rejected")
    min_letter_share: float = Field(0.1, ge=0, le=1, description="Share of characters that must be letters or digits")
    max_residual_markup: float = Field(0.05, ge=0, le=1, description="Share of characters that may still stand in tags or entities")
    max_reject_share: float = Field(0.25, ge=0, le=1, description="The gate holds a version back when more of the input was rejected")
    max_internal_error_share: float = Field(0.01, ge=0, le=1, description="The gate holds a version back when more of the input was rejected by a fault of Winnow")
    min_documents: int = Field(1, ge=0, description="The gate holds a version back that has fewer documents")
    max_mean_residual_markup: float = Field(0.005, ge=0, le=1, description="The same share over all new documents together, for the gate")
    min_drift_documents: int = Field(100, ge=0, description="Versions with fewer documents, or repairs, are not compared: their shares jump by chance")
    max_count_drop: float = Field(0.5, ge=0, le=1, description="Share of documents that may vanish between two versions")
    max_withdrawn_share: float = Field(0.1, ge=0, le=1, description="Share of documents that a mirrored source may lose at once; a partial mount loses more")
    max_mean_length_change: float = Field(0.5, ge=0, description="Relative change of mean length between two versions")
    max_reject_share_rise: float = Field(0.1, ge=0, le=1, description="Rise of the share of rejects between two versions")
    min_review_precision: float = Field(0, ge=0, le=1, description="Precision that each reviewed rule of the version before has likely at least (lower bound of its interval); 0 asks for no review")
    max_site_loss_rise: float = Field(0.5, ge=0, le=1, description="By how much a site's share of lost documents, or removed passages, may pass its own of before, or the other sites'")
    max_rule_share_change: float = Field(0.3, ge=0, le=1, description="Change of any rule's share of all repairs between two versions")

    @model_validator(mode="after")
    def _lets_something_pass(self) -> Self:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars = {self.min_chars} is above max_chars = {self.max_chars}; no document would pass")
        return self


ROW_LIMITS = frozenset({"min_chars", "max_chars", "min_letter_share", "max_residual_markup"})
"""The settings of validation that decide about single rows; the others only decide whether a version goes out."""


class PublishSettings(Section):
    """What the dataset card says, and how files are laid out."""

    name: str = Field("dataset", description="Name of the dataset on its card")
    licence: str = Field("other", description="Licence of the texts, an id of Hugging Face or SPDX")
    file_mb: int = Field(256, ge=1, le=2048, description="Aim for Parquet files of this size")


Cron = Annotated[str, Field(max_length=100), AfterValidator(check_cron)]
"""Five fields: minute, hour, day of the month, month, day of the week."""


class ScheduleSettings(Section):
    """When `winnow serve` starts the flows by itself: cron lines, none means only when asked."""

    timezone: Annotated[str, AfterValidator(check_time_zone)] = Field("UTC", description="Time zone of the cron lines, a name of the IANA database")
    build: Cron | None = Field(None, description="When the input is read for a new version", examples=["30 2 * * *"])
    replay: Cron | None = Field(None, description="When rejects that wait are read again", examples=["0 4 * * sun"])
    maintain: Cron | None = Field(None, description="When small files are joined and old ones removed", examples=["0 5 * * sun"])
    notify: str | None = Field(None, pattern=r"^[a-z0-9-]+/[a-z0-9-]+$",
        description="Prefect notification block that is told of held, failed and published runs, as type/name",
        examples=["slack-webhook/data-team"])


class MaintainSettings(Section):
    """What `winnow maintain` keeps."""

    keep_versions: int | None = Field(None, ge=1, description="Versions that stay; all where none is given", examples=[30])
    staging_days: float = Field(7, ge=0, description="Files in staging that no run has touched for so long are removed")


class LineageSettings(Section):
    """Where OpenLineage events of each run go, for catalogues that collect them."""

    to: Annotated[str, AfterValidator(without_credentials)] | None = Field(None, min_length=1,
        description="A file that gets a line an event, or an http address; its key comes from OPENLINEAGE_API_KEY",
        examples=["lineage.jsonl"])
    namespace: str = Field("winnow", min_length=1, description="Namespace of the jobs in these events")


# fmt: on
NOT_SHAPING = frozenset({"publish", "maintain", "schedule", "lineage"})
"""The sections that do not shape rows."""


class Recipe(Section):
    """All settings."""

    read: ReadSettings = ReadSettings()
    repair: RepairSettings = RepairSettings()
    deduplicate: DeduplicateSettings = DeduplicateSettings()
    validate_: ValidateSettings = Field(default=ValidateSettings(), alias="validate")
    publish: PublishSettings = PublishSettings()
    maintain: MaintainSettings = MaintainSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    lineage: LineageSettings = LineageSettings()

    def recipe_id(self, rule_versions: Mapping[str, int | str]) -> str:
        """First 16 hex digits of SHA-256 over the settings that shape rows and the versions of all rules."""
        shaping = self.model_dump(mode="json", by_alias=True, exclude=set(NOT_SHAPING))
        for name in ("shard_mb", "include", "exclude"):  # which decide what is read, not what comes of it
            del shaping["read"][name]
        shaping["validate"] = {k: v for k, v in shaping["validate"].items() if k in ROW_LIMITS}
        text = json.dumps({"settings": shaping, "rules": dict(rule_versions)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
