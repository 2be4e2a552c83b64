"""What a reader may see of a dataset: pure, so that it can be proven never to widen."""

from __future__ import annotations

from krog.base.grant import Access, Reader, Rule
from krog.catalogue.shapes import Dataset
from krog.people.permissions import is_staff

#: Levels of openness, from open to closed.
LEVELS = ("public", "official", "restricted")


def _level_of(reader: Reader, dataset: Dataset) -> int:
    """How far this reader sees into this dataset: 0 what is public, 1 what officials see, 2 everything; -1 nothing."""
    if reader.kind == "system" or "administrator" in reader.roles:
        return 2
    if reader.roles & set(dataset.roles):
        return 2
    if is_staff(reader):
        return 1 if dataset.access != "restricted" else -1
    if reader.kind == "key" and reader.organisation and reader.organisation == dataset.organisation:
        return 1 if dataset.access != "restricted" and not dataset.personal else -1
    return 0 if dataset.access == "public" else -1


def access(reader: Reader, dataset: Dataset) -> Access | None:
    """The access of a reader to a dataset, or None. Fields without an own `access` are as open as the dataset."""
    level = _level_of(reader, dataset)
    if level < 0:
        return None
    fields = None
    if level < 2 and dataset.fields:
        fields = frozenset(
            name for name, about in dataset.fields.items() if LEVELS.index(about.get("access", dataset.access)) <= level
        )
    rows: tuple[Rule, ...] = ()
    if level == 0 and dataset.public_rows:
        rule = dataset.public_rows
        rows = (Rule(rule["field"], rule.get("op", "="), rule["value"]),)
    public = dataset.access == "public" and level == 0
    return Access(
        dataset=dataset.key,
        public=public,
        fields=fields,
        rows=rows,
        minimum_group=10 if dataset.personal and level < 2 else 1,
    )
