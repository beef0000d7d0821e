"""The proof of the whole portal: each room proves its own rows, and this is the list of all of them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from itertools import chain

from contracts import proof as contracts
from contracts.proof import Difference
from incidents.projection import proof_beside
from reports import decision_entries
from reports.verify import monitors as monitoring

logger = logging.getLogger(__name__)


def beside_incidents(monitors: Collection[int] | None = None) -> Iterator[Difference]:
    """What is missing from the portal as a whole, and each room's rows that are not as they were entered.

    Of `monitors`, or of all. Incidents themselves are proven by `incidents.projection.proof`; the caller says which.
    """
    return chain.from_iterable(
        _whatever_is_stored(room, rows)
        for room, rows in (
            ("contracts", contracts.differences()),
            ("incidents", proof_beside.totals()),
            ("monitoring", monitoring.differences(monitors)),
            ("decisions", decision_entries.differences()),
        )
    )


def _whatever_is_stored(room: str, rows: Iterator[Difference]) -> Iterator[Difference]:
    """What nobody but a forger writes may be unreadable: that is a difference and stops no other room's proof."""
    try:
        yield from rows
    except Exception as error:
        logger.exception("%s cannot be proven", room)
        yield Difference(room, "rows", f"{type(error).__name__}: {error}", "rows that can be read", "what was entered")
