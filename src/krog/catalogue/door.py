"""The only way data leaves: `open` gives a grant that every read takes; access to what is not public is logged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from krog.base.errors import Forbidden
from krog.base.grant import Access, Grant, Reader
from krog.base.text import Text
from krog.catalogue import access_log, models
from krog.catalogue.policy import access
from krog.catalogue.shapes import Dataset

#: What a reader may open data for.
PURPOSES = frozenset({"portal", "desk", "api", "export", "compute", "ingest", "mail", "apply"})

_EPOCH_EVERY_S = 1.0
_lock = Lock()
_state: dict[str, Any] = {"policy": None, "checked": 0.0}


@dataclass(frozen=True)
class _Policy:
    """All datasets of one epoch, and the grants given from them: what a slow request adds after the policy has moved on
    goes to the old epoch's grants, never to the new one's."""

    epoch: int
    datasets: Mapping[str, Dataset]
    grants: dict[tuple[Any, ...], Mapping[str, Access]] = field(default_factory=dict)


def dataset_of(row: models.Dataset) -> Dataset:
    """The frozen value of a row."""
    return Dataset(
        key=row.key,
        noun=row.noun,
        title=_text(row.title),
        description=_text(row.description),
        organisation=row.organisation,
        office=row.office,
        steward=row.steward,
        licence=row.licence,
        access=row.access,
        roles=tuple(row.roles),
        personal=row.personal,
        frequency=row.frequency,
        source=row.source,
        doubts=tuple(_text(doubt) for doubt in row.doubts),
        fields=row.fields,
        public_rows=row.public_rows,
    )


def _text(value: Text) -> Text:
    return dict(value)


def forget() -> None:
    """Drops what this process has cached; the next `open` reads the policy anew."""
    with _lock:
        _state.update(policy=None, checked=0.0)


def _policy() -> _Policy:
    """All datasets in use, read again when the policy's epoch has moved; the epoch is asked at most once a second."""
    now = time.monotonic()
    with _lock:
        policy: _Policy | None = _state["policy"]
        if policy is not None and now - _state["checked"] < _EPOCH_EVERY_S:
            return policy
    row = models.PolicyEpoch.objects.first()
    epoch = row.number if row else 0
    if policy is None or epoch != policy.epoch:
        rows = models.Dataset.objects.filter(retired=False)
        policy = _Policy(epoch, {d.key: dataset_of(d) for d in rows})
    with _lock:
        _state.update(policy=policy, checked=now)
    return policy


def known(dataset: str) -> Dataset | None:
    """A dataset as the policy knows it, whoever asks; for reads of this noun."""
    return _policy().datasets.get(dataset)


def open(reader: Reader, purpose: str, *, kind: str | None = None, datasets: Iterable[str] | None = None) -> Grant:
    """A grant on all datasets of a kind (a noun's name), or on the named datasets.

    With `datasets`, one that the reader may not see raises Forbidden; with `kind` it is simply not in the grant.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"The purpose {purpose!r} is not one of {sorted(PURPOSES)}.")
    policy = _policy()
    known = policy.datasets
    wanted = None if datasets is None else tuple(datasets)
    cache_key = (reader.kind, reader.id, reader.roles, reader.organisation, purpose, kind, wanted)
    found = policy.grants.get(cache_key)
    if found is None:
        chosen = (
            [d for d in known.values() if kind is None or d.noun == kind]
            if wanted is None
            else [known[key] for key in wanted if key in known]
        )
        given = {d.key: a for d in chosen if (a := access(reader, d)) is not None}
        missing = [key for key in wanted or () if key not in given]
        if missing:
            raise Forbidden(
                _("You may not read this: %(datasets)s.") % {"datasets": ", ".join(missing)},
                "dataset",
                todo=_("Sign in, or ask the dataset's steward.")
                if reader.is_anonymous
                else _("Ask the dataset's steward."),
            )
        found = given
        with _lock:
            if len(policy.grants) > 5000:
                policy.grants.clear()
            policy.grants[cache_key] = found
    if reader.kind != "system":
        closed = [a.dataset for a in found.values() if not a.public and known[a.dataset].access != "public"]
        if closed:
            access_log.note(reader, purpose, closed)
    return Grant(reader=reader, purpose=purpose, datasets=found)


def stamped() -> Mapping[str, Dataset]:
    """Every dataset in use, by its key, for what is kept beside the data and must follow the policy."""
    return _policy().datasets


def everything(reader: Reader, purpose: str) -> Grant:
    """A grant on all datasets that the reader may see, for what names things without showing what they say."""
    given = {key: a for key, dataset in _policy().datasets.items() if (a := access(reader, dataset)) is not None}
    return Grant(reader=reader, purpose=purpose, datasets=given)


def where(grant: Grant, columns: Mapping[str, str], dataset: str = "dataset") -> Q:
    """The rows that a grant lets through, for a model whose `dataset` column holds the dataset's key.

    `columns` maps the fields of row rules to columns; a rule on any other field lets nothing through.
    """
    open_ones = [key for key, given in grant.datasets.items() if not given.rows]
    found = Q(**{f"{dataset}__in": open_ones})
    for key, given in grant.datasets.items():
        if not given.rows:
            continue
        part = Q(**{dataset: key})
        for rule in given.rows:
            if rule.field not in columns:
                part &= Q(pk__in=[])
                continue
            column = columns[rule.field]
            part &= {"=": Q(**{column: rule.value}), "!=": ~Q(**{column: rule.value})}.get(
                rule.op, Q(**{f"{column}__in": rule.value})
            )
        found |= part
    return found
