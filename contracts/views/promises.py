"""The contracts a person may see, and one of them: what was promised, by when it would be kept now, what a miss costs."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.models import MANAGER, OWNER
from accounts.permissions import SignedRequest, open_to
from contracts.models import Contract


@require_GET
@open_to(MANAGER, OWNER)
def listing(request: SignedRequest) -> HttpResponse:
    contracts = Contract.objects.visible_to(request.user).select_related("client")
    return render(request, "contracts/contracts.html", {"contracts": contracts})


@require_GET
@open_to(MANAGER, OWNER)
def show(request: SignedRequest, pk: int) -> HttpResponse:
    contract = get_object_or_404(Contract.objects.visible_to(request.user).select_related("client"), pk=pk)
    return render(request, "contracts/contract.html", {"contract": contract})
