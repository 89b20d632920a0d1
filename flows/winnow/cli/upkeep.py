"""``winnow rollback``, ``export``, ``verify`` and ``prune``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from winnow.base.addresses import is_url
from winnow.base.recipe import PublishSettings
from winnow.base.terminal import visible
from winnow.cli.output import print_json, print_table, size
from winnow.cli.versions import published
from winnow.publish.export import export
from winnow.publish.maintain import Freed, prune, vacuum
from winnow.publish.recover import recover
from winnow.publish.rollback import rollback
from winnow.publish.run import RunRecord
from winnow.publish.verify import verify
from winnow.repair import undo
from winnow.run.run_context import new_run_id
from winnow.storage.locate import Place, inside


def roll_back(root: Place, version: int, because: str | None, as_json: bool) -> int:
    """Publish an old version again as the next one."""
    from winnow.run.release import packages, report_of

    dataset = published(root)
    old = dataset.manifest(version)
    run_id = new_run_id()
    note = f"rollback to version {version}" + (f": {because.strip()}" if because and because.strip() else "")
    with dataset.writing(run_id):
        recover(dataset)
        record = RunRecord(
            run_id=run_id,
            started_at=datetime.now(UTC),
            recipe=old.recipe,
            recipe_id=old.recipe_id,
            packages=packages(),
            counts=old.counts,  # the version is equal to the old one, so what is known of its rows is too
            note=note,
        )
        settings = PublishSettings.model_validate(old.recipe["publish"])
        extras = report_of(run_id, settings.name)
        manifest = rollback(dataset, version, record, settings, lambda: datetime.now(UTC), extras)
    if as_json:
        print_json({"version": manifest.version, "equal_to": version, "run_id": run_id, "note": note})
    else:
        print(f"Published v{manifest.version}, equal to v{version}, in {inside(root, f'v{manifest.version}')}")
        print("The next run reads again what has changed in the input since then.")
    return 0


def export_version(root: Place, version: int | None, to: str, as_json: bool) -> int:
    """Write a version to a folder or a file, or copy it to a URL."""
    dataset = published(root)
    number = version if version is not None else dataset.latest_version()
    assert number is not None
    if is_url(to):
        from winnow.storage.upload import upload

        address = upload(dataset, number, to)
        total = sum(t.bytes for t in dataset.manifest(number).tables.values())
        print_json({"version": number, "path": address, "bytes": total}) if as_json else print(
            f"Copied v{number} to {visible(address)} ({size(total)})"
        )
        return 0
    path = export(dataset, number, Path(to))
    written = sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size
    if as_json:
        print_json({"version": number, "path": str(path), "bytes": written})
    else:
        print(f"Exported v{number} to {path} ({size(written)})")
    return 0


def verify_dataset(root: Place, version: int | None, as_json: bool) -> int:
    """Check versions against their manifests; returns 1 where something is wrong."""
    dataset = published(root)
    problems = verify(dataset, version, undo)
    if dataset.remote:  # the working copy may be sound where an object is not
        problems += dataset.remote.verify(version)
    if as_json:
        print_json({"sound": not problems, "problems": problems})
    elif problems:
        rows = [(f"v{p.version}" if p.version else "", visible(p.place), visible(p.what)) for p in problems]
        print_table(("version", "place", "what is wrong"), rows)
    else:
        checked = f"v{version}" if version else f"{len(dataset.version_numbers())} versions and the tables"
        print(f"Sound: {checked}; every file, row, link and edit is as it was published.")
    return int(bool(problems))


def prune_versions(root: Place, keep: int, dry_run: bool, as_json: bool) -> int:
    """Remove all views but the last `keep`, then the files that only they needed."""
    dataset = published(root)
    with dataset.writing(new_run_id()):
        recover(dataset)
        views = prune(dataset, keep, dry_run)
        files = vacuum(dataset, dry_run)
    if as_json:
        free = _bytes(views, files)
        print_json({"dry_run": dry_run, "versions": views.names, "files": len(files.names), "bytes": free})
        return 0
    done = "would be removed" if dry_run else "removed"
    names = ", ".join(views.names) or "no version"
    print(f"{names} {done}, and {len(files.names)} files of the tables; {size(_bytes(views, files))} free")
    return 0


def _bytes(*freed: Freed) -> int:
    return sum(f.bytes for f in freed)
