"""The audit: what is wrong with images, told before a single step is trained on them."""

from striate.data.audit.audit import Audit, audit_images
from striate.data.audit.decisions import apply_decisions
from striate.data.audit.finding import SEVERITIES, Case, Finding

__all__ = ["SEVERITIES", "Audit", "Case", "Finding", "apply_decisions", "audit_images"]
