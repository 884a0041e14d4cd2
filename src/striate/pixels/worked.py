"""The numbers that courses work by hand on the board, each as it comes out of `convolve` and `pool`.

Signals. Scaling is the shortest convolution; a dose of medicine given day by day to patients who come and stay is the
next; slid without flipping, the same is a weighted sum of what succeeds.

>>> full = {"padding": "full", "indexing": "convolution"}
>>> convolve([1, 2, 3, 4, 5], [3], **full).tolist(), convolve([1, 2, 3, 4, 5], [3, 2, 1], **full).tolist()
([3, 6, 9, 12, 15], [3, 8, 14, 20, 26, 14, 5])
>>> convolve([5, 3, 2, 5, 9, 7], [1, 2, 3]).tolist()
[17, 22, 39, 44]

A sensor's track, smoothed by a weighted moving average of the last four readings, the newest heaviest:

>>> track = [2.0, 2.4, 1.8, 2.6, 2.2, 3.0, 2.2]
>>> convolve(track, [0.1, 0.2, 0.3, 0.4]).round(2).tolist()
[2.26, 2.26, 2.56, 2.48]

Two filters on one picture make a map of two channels; the first answers to one diagonal, the second to a column.

>>> picture = parse("1 0 0 0 0 1; 0 1 0 0 1 0; 0 0 1 1 0 0; 1 0 0 0 1 0; 0 1 0 0 1 0; 0 0 1 0 1 0")
>>> filters = np.stack([parse("1 -1 -1; -1 1 -1; -1 -1 1"), parse("-1 1 -1; -1 1 -1; -1 1 -1")])
>>> maps = convolve(picture, filters)
>>> maps.shape
(4, 4, 2)
>>> maps[:, :, 0]
array([[ 3, -1, -3, -1],
       [-3,  1,  0, -3],
       [-3, -3,  0,  1],
       [ 3, -2, -2, -1]])
>>> maps[:, :, 1]
array([[-1, -1, -1, -1],
       [-1, -1, -2,  1],
       [-1, -1, -2,  1],
       [-1,  0, -4,  3]])
>>> pool(maps, "max", 2)[:, :, 0].tolist(), pool(maps, "max", 2)[:, :, 1].tolist()
([[3, 0], [3, 1]], [[-1, 1], [0, 3]])
>>> convolve(picture, filters[0], stride=2)[0].tolist()
[3, -3]

A kernel that is its own reflection tells nothing of the indexing:

>>> cross = parse("1 0 1; 0 1 0; 1 0 1")
>>> convolve(parse("1 1 1 0 0; 0 1 1 1 0; 0 0 1 1 1; 0 0 1 1 0; 0 1 1 0 0"), cross).tolist()
[[4, 3, 4], [2, 4, 3], [2, 3, 4]]

One that is not tells them apart:

>>> picture, kernel = parse("3 5 2 8 1; 9 7 5 4 3; 2 0 6 1 6; 6 3 7 9 2; 1 4 9 5 1"), parse("1 0 0; 1 1 0; 0 0 1")
>>> convolve(picture, kernel).tolist()
[[25, 18, 17], [18, 22, 14], [20, 15, 23]]
>>> convolve(picture, kernel, indexing="convolution").tolist()
[[21, 15, 15], [22, 23, 14], [21, 21, 18]]

Stride 2 keeps every second number of every second row:

>>> framed = parse("0 0 0 0 0 0; 0 1 1 1 1 0; 0 1 -1 -1 1 0; 0 1 -1 -1 1 0; 0 1 1 1 1 0; 0 0 0 0 0 0")
>>> corner = parse("0 0 0; 0 -1 1; 0 1 -1")
>>> convolve(framed, corner).tolist()
[[2, 0, -2, 0], [0, 0, 0, 0], [-2, 0, 2, 0], [0, 0, 0, -1]]
>>> convolve(framed, corner, stride=2).tolist()
[[2, -2], [-2, 2]]

Zero padding of one pixel keeps the size under a 3 × 3 filter, and so does "same". Valid padding does not, though one
course says that it keeps 400 × 400: it leaves ⌊(400 - 3) / 1⌋ + 1 = 398.

>>> four = parse("35 19 25 6; 13 22 16 53; 4 3 7 10; 9 8 1 3")
>>> convolve(four, cross, padding=1).shape, convolve(four, cross, padding="same").shape
((4, 4), (4, 4))
>>> convolve(np.zeros((400, 400)), cross).shape, output_size(400, window=3)
((398, 398), 398)

Pooling:

>>> one, two = parse("2 2 7 3; 9 4 6 1; 8 5 2 4; 3 1 2 6"), parse("1 3 6 8; 4 2 9 7; 8 7 3 2; 7 9 1 1")
>>> pool(one, "max").tolist(), pool(one, "average").tolist()
([[9, 7], [8, 6]], [[4.25, 4.25], [4.25, 3.5]])
>>> pool(two, "max").tolist(), pool(two, "average").tolist()
([[4, 9], [9, 3]], [[2.5, 7.5], [7.75, 1.75]])
>>> 1 - pool(one).size / one.size
0.75

What a dense layer would have to read of a picture, against the weights that one 3 × 3 filter needs:

>>> shapes = (28, 28), (28, 28, 3), (400, 400, 3), (1000, 1000, 3)
>>> [count_dense(shape, 1).inputs for shape in shapes]
[784, 2352, 480000, 3000000]
>>> [count_convolution(shape, 1, 3).parameters for shape in shapes]
[10, 28, 28, 28]
"""

import numpy as np

from striate.pixels.convolution import convolve
from striate.pixels.kernels import parse
from striate.pixels.pooling import pool
from striate.pixels.properties import count_convolution, count_dense
from striate.shapes import output_size

__all__ = ["convolve", "count_convolution", "count_dense", "np", "output_size", "parse", "pool"]
"""What the examples use."""
