"""The account of what was sent to whom."""

from newsletter.delivery.models.ledger import Event, Outcome, Reach
from newsletter.delivery.models.sendout import Batch, Edition, Mailing, Release, Site

__all__ = ["Batch", "Edition", "Event", "Mailing", "Outcome", "Reach", "Release", "Site"]
