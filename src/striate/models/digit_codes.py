"""The ±1 codes that the units of LeNet-5's output stand for: 7×12 pictures of the digits, or drawn bits."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

CODE = 84

# LeCun et al. 1998, figure 3, the digits of its second row: twelve lines of seven pixels, # is +1 and . is −1
DIGITS = """
.#####. ...##.. .#####. ####### .#####. .#####. ..####. ####### .#####. .#####.
....... ..###.. ....... .....## ....... ....... .##.... .....## ##...## ##..###
..###.. .####.. .#####. ....##. ....... ####### ##..... .....## ##...## ##...##
.##.##. ...##.. ##...## ...##.. .##..## ##..... ##..... ....##. ##...## ##...##
##...## ...##.. #....## ..####. .##..## ##..... ######. ...##.. .#####. ##..###
##...## ...##.. ....##. .....## ###..## .####.. ###..## ...##.. ##...## .######
##...## ...##.. ..###.. .....## ##...## ..####. ##...## ..##... ##...## .....##
##...## ...##.. .##.... .....## ##...## .....## ##...## ..##... ##...## .....##
.##.##. ...##.. ##..... ##...## ##..### ##...## ###..## ..##... ##...## ....##.
..###.. .###### ####### .#####. .###### .#####. .#####. ..##... .#####. .####..
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
"""


def output_codes(classes: int) -> Float[Tensor, "class code"]:
    """One code of 84 components, each +1 or −1, a class.

    >>> tuple(output_codes(10).shape), int(output_codes(10)[1].sum())
    ((10, 84), -30)

    Ten classes get the pictures of the digits 0 to 9, whatever the classes mean. Any other number gets fixed
    random bits (Philox, seed 1998), the same ones everywhere and at all times; the first ones stay when
    classes are added.
    """
    return torch.tensor(_pictures() if classes == 10 else _drawn(classes), dtype=torch.float32)


def _pictures() -> list[list[float]]:
    lines = [line.split() for line in DIGITS.split("\n") if line]
    return [
        [1.0 if pixel == "#" else -1.0 for line in lines for pixel in line[digit]]
        for digit in range(len(lines[0]))
    ]


def _drawn(classes: int) -> list[list[float]]:
    # raw bits are stable across versions of numpy, which its distributions need not be
    words = np.random.Philox(1998).random_raw((classes, 2))
    return [
        [1.0 if int(word) >> bit & 1 else -1.0 for word in pair for bit in range(CODE // 2)] for pair in words
    ]
