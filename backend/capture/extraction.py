"""Extraction of a claimed page, with a second attempt where its process died."""

from __future__ import annotations

from loguru import logger

from backend.capture.extract.reading import ExtractionResult
from backend.capture.extractor_processes import ExtractionDied, ExtractionHung, Extractor
from backend.capture.fetch import FetchedPage
from backend.capture.service import UNEXPECTED
from backend.capture.turns import Claim
from backend.outbound.failures import FetchError

DIED = FetchError("This page ends the process that reads it.", retryable=True)
HUNG = FetchError("Reading this page takes too long.", retryable=True)


def extract_claim(extractor: Extractor, claim: Claim, fetched: FetchedPage) -> ExtractionResult:
    """Extract the fetched page of a claim; a page that ends two processes has failed."""
    with claim.step("extract"):
        # An earlier page may have caused the first death; a page that ends a fresh process is itself the cause.
        for _ in range(2):
            try:
                return extractor.read(fetched, claim.page_average)
            except ExtractionDied:
                logger.warning("the process that read bookmark {} has died", claim.bookmark_id)
            except ExtractionHung:
                logger.warning("reading bookmark {} took too long", claim.bookmark_id)
                return HUNG
            except Exception as error:
                logger.opt(exception=error).error("bookmark {} could not be extracted", claim.bookmark_id)
                return UNEXPECTED
        return DIED
