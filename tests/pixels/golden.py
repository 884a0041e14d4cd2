"""Pictures of every kind with the pixels that must come out, by hand or from other people's writers and decoders."""

from golden_kit import Golden
from golden_png import jpegs, pngs
from golden_rest import orientations, others, streams_and_arrays
from golden_tiff import tiffs

GOLDEN: list[Golden] = [*pngs(), *jpegs(), *tiffs(), *others(), *streams_and_arrays(), *orientations()]
