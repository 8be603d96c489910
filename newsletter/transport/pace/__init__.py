"""How fast a transport may go: the limits that its URL states, and what it learns from replies."""

from newsletter.transport.pace.limits import Limits, is_limit, parse_limits
from newsletter.transport.pace.measuring import PaceReport, permission_step
from newsletter.transport.pace.pace import Pace

__all__ = ["Limits", "Pace", "PaceReport", "is_limit", "parse_limits", "permission_step"]
