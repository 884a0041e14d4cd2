"""The arithmetic of one cell of one layer: what it reads, with which weights, and what follows it."""

from striate.explanation.cells.cell import Cell, Term, Window, Work
from striate.explanation.cells.kernels import ChannelKernels, channel_kernels
from striate.explanation.cells.working import work_cell

__all__ = ["Cell", "ChannelKernels", "Term", "Window", "Work", "channel_kernels", "work_cell"]
