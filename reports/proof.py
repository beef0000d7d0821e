"""The proof of the whole portal: each room proves its own rows, and this is the list of all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain

from contracts import proof as contracts
from contracts.proof import Difference
from incidents import proof_facts
from monitoring import proof as monitoring
from reports import decision_entries


def beside_incidents(monitors: Collection[int] | None = None) -> Iterator[Difference]:
    """What is missing from the portal as a whole, and each room's rows that are not as they were entered.

    Of `monitors`, or of all. Incidents themselves are proven by `incidents.proof`, of which the caller says which.
    """
    return chain(
        contracts.differences(),
        proof_facts.totals(),
        monitoring.differences(monitors),
        decision_entries.differences(),
    )
