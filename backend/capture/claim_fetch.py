"""Fetch of a claimed page, within the limits that the fetches of a process share."""

from __future__ import annotations

from dataclasses import replace

from loguru import logger

from backend.capture.fetch import FetchedPage, FetchPolicy, fetch_page
from backend.capture.outcome_writer import Released
from backend.capture.service import UNEXPECTED
from backend.capture.shared_limits import HostBusy, HostSlots, MemoryFull, MemoryReservation
from backend.capture.turns import Claim
from backend.outbound.failures import FetchError

# Delays of a page whose host was busy, or for which memory was full.
HOST_BUSY_SECONDS, MEMORY_FULL_SECONDS = 1.0, 10.0


def fetch_claim(
    claim: Claim, policy: FetchPolicy, hosts: HostSlots, reservation: MemoryReservation
) -> FetchedPage | FetchError | Released:
    """Fetch the page of a claim; the claim is released where a limit leaves no room for it."""
    with claim.step("fetch"):
        try:
            with hosts.visit() as visit:
                return fetch_page(claim.url, replace(policy, enter=visit.enter, reserve_memory=reservation.take))
        except HostBusy as busy:
            return Released(HOST_BUSY_SECONDS, busy.host)
        except MemoryFull:
            return Released(MEMORY_FULL_SECONDS, None)
        except FetchError as failure:
            return failure
        except Exception as error:
            logger.opt(exception=error).error("capture of bookmark {} failed", claim.bookmark_id)
            return UNEXPECTED
