"""The words for axes, once, and the arithmetic of sizes and receptive fields.

| word      | means                                                    | counted in         |
|-----------|----------------------------------------------------------|--------------------|
| `batch`   | images that travel together                              | images             |
| `channel` | planes of one image, or feature maps of one stage        | planes, maps       |
| `height`  | rows, the first one at the top                           | pixels, cells      |
| `width`   | columns, the first one at the left                       | pixels, cells      |
| `class`   | what an image can be; logits and probabilities have it   | classes            |

An image is `height width channel`; a batch on its way through a network is `batch channel height width`.
A *pixel* belongs to the image, a *cell* to a feature map. Everything here holds for one axis at a time.

>>> output_size(28, window=5, padding=2), output_size(28, window=2, stride=2)
(28, 14)
>>> ReceptiveField().then(3).then(3).size, ReceptiveField().then(3).then(3).then(3).size
(5, 7)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def output_size(size: int, window: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Cells that a sliding window leaves of an axis.

    >>> output_size(224, window=7, stride=2, padding=3)
    112

    `padding` is added at both ends; the cells of a dilated window stand `dilation` apart. Raises ValueError
    when the window does not fit once. Dumoulin & Visin 2016, relationship 15.
    """
    _check(window=window, stride=stride, dilation=dilation)
    if size < 1 or padding < 0:
        raise ValueError(
            f"size must be at least 1 and padding at least 0; got size {size}, padding {padding}."
        )
    reach = dilation * (window - 1) + 1
    if reach > size + 2 * padding:
        raise ValueError(
            f"a window that reaches over {reach} does not fit an axis of {size} with padding {padding}."
        )
    return (size + 2 * padding - reach) // stride + 1


def input_sizes(
    cells: int, window: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> tuple[int, int]:
    """The smallest and the largest axis of which a sliding window leaves so many cells: the inverse of `output_size`.

    >>> input_sizes(112, window=7, stride=2, padding=3), input_sizes(26, window=3)
    ((223, 224), (28, 28))

    With a stride above 1 several sizes end in the same cells. Raises ValueError where even an axis of one is larger.
    """
    _check(cells=cells, window=window, stride=stride, dilation=dilation)
    if padding < 0:
        raise ValueError(f"padding must be at least 0; got {padding}.")
    smallest = (cells - 1) * stride + dilation * (window - 1) + 1 - 2 * padding
    if smallest + stride - 1 < 1:
        raise ValueError(f"no axis ends in {cells} cells: padding {padding} alone leaves more.")
    return max(smallest, 1), smallest + stride - 1


def same_padding_ends(window: int, dilation: int = 1) -> tuple[int, int]:
    """Padding before and after that keeps an axis as long as it was at stride 1, for odd and for even windows.

    >>> same_padding_ends(3), same_padding_ends(2), same_padding_ends(4), same_padding_ends(3, dilation=2)
    ((1, 1), (0, 1), (1, 2), (2, 2))

    The odd pixel of an even window goes to the end, as in torch.
    """
    _check(window=window, dilation=dilation)
    total = dilation * (window - 1)
    return total // 2, total - total // 2


def same_padding(window: int) -> int:
    """The padding at both ends that keeps an axis as long as it was, at stride 1.

    >>> same_padding(3), same_padding(5)
    (1, 2)

    Raises ValueError for an even window, which no padding equal at both ends can keep.
    """
    _check(window=window)
    if window % 2 == 0:
        raise ValueError(
            f"a window of {window} is even; only an odd window keeps the size with equal padding."
        )
    return window // 2


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels that one cell sees, along one axis.

    >>> ReceptiveField().then(5, padding=2).then(2, stride=2)
    ReceptiveField(size=6, stride=2, start=-2)

    `size` is how many pixels a cell sees, `stride` how many pixels lie between neighbouring cells, `start`
    the first pixel that cell 0 sees; a negative one lies in the padding. Araujo, Norris & Sim 2019, equations
    2 and 4.
    """

    size: int = 1
    stride: int = 1
    start: int = 0

    def then(self, window: int, stride: int = 1, dilation: int = 1, padding: int = 0) -> "ReceptiveField":
        """The field after one more layer whose window slides over these cells.

        >>> ReceptiveField(size=6, stride=2).then(5).size
        14
        """
        _check(window=window, stride=stride, dilation=dilation)
        return ReceptiveField(
            size=self.size + dilation * (window - 1) * self.stride,
            stride=self.stride * stride,
            start=self.start - padding * self.stride,
        )

    def union(self, other: "ReceptiveField") -> "ReceptiveField":
        """The field of a sum of two branches: every pixel that either of them sees.

        >>> ReceptiveField().union(ReceptiveField().then(3, padding=1))
        ReceptiveField(size=3, stride=1, start=-1)

        Raises ValueError when the branches stride differently, for then their cells do not lie on each other.
        """
        if self.stride != other.stride:
            raise ValueError(f"branches with strides {self.stride} and {other.stride} cannot be added.")
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return ReceptiveField(end - start, self.stride, start)

    def span(self, cell: int) -> tuple[int, int]:
        """The first pixel that a cell sees, and the one after the last.

        >>> ReceptiveField().then(3, stride=2, padding=1).span(4)
        (7, 10)
        """
        first = self.start + cell * self.stride
        return first, first + self.size


def receptive_field(layers: Iterable[Sequence[int]]) -> ReceptiveField:
    """The pixels that a cell sees after a stack of layers, each `(window, stride, dilation, padding)` or shorter.

    >>> receptive_field([(3,), (3,), (3,)]).size, receptive_field([(5,), (2, 2), (5,), (2, 2)])
    (7, ReceptiveField(size=16, stride=4, start=0))

    Its size is 1 + the sum over layers of dilation · (window - 1) · the product of all strides before.
    """
    field = ReceptiveField()
    for layer in layers:
        if not 1 <= len(layer) <= 4:
            raise ValueError(
                f"a layer is (window, stride, dilation, padding), at least its window; got {tuple(layer)}."
            )
        field = field.then(*layer)
    return field


def _check(**at_least_one: int) -> None:
    for word, value in at_least_one.items():
        if value < 1:
            raise ValueError(f"{word} must be at least 1; got {value}.")
