"""The entries of the catalogue, each network beside its paper."""

from dataclasses import replace
from functools import partial

from striate.models import (
    alexnet,
    alexnet2012,
    compact,
    googlenet,
    googlenet2014,
    lenet5,
    lenet5_1998,
    lesson,
    mlp,
    resnet,
    resnet_cifar,
    vgg,
    zfnet,
)
from striate.models.entry import Entry

_LECUN = "LeCun, Bottou, Bengio & Haffner 1998, Gradient-based learning applied to document recognition"
_VGG = "Simonyan & Zisserman 2015, Very deep convolutional networks for large-scale image recognition"
_SZEGEDY = "Szegedy et al. 2015, Going deeper with convolutions"
_HE = "He, Zhang, Ren & Sun 2016, Deep residual learning for image recognition"
_IMAGENET = (3, 224, 224)

_LARGE_RATE = 0.001
"""Peak rate of most networks made for 1,000 classes: `bench rates` on the smaller ones, taken over for the deeper."""
_BASICS = (
    Entry(
        name="compact",
        build=compact.compact,
        summary="striate's own small residual network, the default",
        paper="after He, Zhang, Ren & Sun 2016, Deep residual learning for image recognition",
        default_input=(1, 28, 28),
        dropout=0.0,
        width=1.0,
        learning_rate=0.01,
        optimiser="muon",
    ),
    Entry(
        name="lesson",
        build=lesson.lesson,
        summary="the closing project of many courses: four 3×3 convolutions, hidden layers of 512 and 128",
        paper="after Simonyan & Zisserman 2015, Very deep convolutional networks for large-scale recognition",
        default_input=(3, 32, 32),
        dropout=0.5,
    ),
    Entry(
        name="lenet5",
        build=lenet5.lenet5,
        summary="LeNet-5 as it is taught: average pooling, tanh, a linear output",
        paper=f"after {_LECUN}",
        default_input=(1, 28, 28),
        learning_rate=0.004,
        departures=lenet5.DEPARTURES,
    ),
    Entry(
        name="lenet5_1998",
        build=lenet5_1998.lenet5_1998,
        summary="LeNet-5 as published: connection table, trainable subsampling, radial basis output",
        paper=_LECUN,
        default_input=(1, 28, 28),
        departures=lenet5_1998.DEPARTURES,
    ),
    Entry(
        name="mlp",
        build=mlp.mlp,
        summary="the plain network that courses start from: two hidden layers of 512 on flattened pixels",
        paper="after Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors",
        default_input=(1, 28, 28),
        dropout=0.2,
    ),
)

_COLUMNS = (
    Entry(
        name="alexnet",
        build=alexnet.alexnet,
        summary="AlexNet in one column, the form whose weights are published",
        paper="Krizhevsky 2014, One weird trick for parallelizing convolutional neural networks",
        default_input=_IMAGENET,
        default_classes=1000,
        learning_rate=_LARGE_RATE,
        dropout=0.5,
        departures=alexnet.DEPARTURES,
    ),
    Entry(
        name="alexnet2012",
        build=alexnet2012.alexnet2012,
        summary="AlexNet as published: two groups, local response normalisation, overlapping pooling",
        paper="Krizhevsky, Sutskever & Hinton 2012, ImageNet classification with deep convolutional neural networks",
        default_input=_IMAGENET,
        default_classes=1000,
        learning_rate=_LARGE_RATE,
        dropout=0.5,
        departures=alexnet2012.DEPARTURES,
        disagreements=alexnet2012.DISAGREEMENTS,
    ),
    Entry(
        name="zfnet",
        build=zfnet.zfnet,
        summary="AlexNet with a finer first layer, found with the deconvnet",
        paper="Zeiler & Fergus 2014, Visualizing and understanding convolutional networks",
        default_input=_IMAGENET,
        default_classes=1000,
        learning_rate=_LARGE_RATE,
        dropout=0.5,
        departures=zfnet.DEPARTURES,
    ),
)
_VGGS = tuple(
    Entry(
        name=column + ending,
        build=partial(vgg.vgg, column + ending),
        summary=f"VGG-{column.removeprefix('vgg')}{words}",
        paper=_VGG,
        default_input=_IMAGENET,
        default_classes=1000,
        learning_rate=_LARGE_RATE,
        dropout=0.5,
        departures=departures,
    )
    for ending, words, departures in (
        ("", ", nothing but 3×3 convolutions", vgg.DEPARTURES),
        ("_bn", " with batch normalisation", vgg.NORMALISED_DEPARTURES),
    )
    for column in vgg.CONVOLUTIONS
)
_GOOGLENETS = (
    Entry(
        name="googlenet",
        build=googlenet.googlenet,
        summary="GoogLeNet with batch normalisation, the form whose weights are published",
        paper=f"after {_SZEGEDY}",
        default_input=_IMAGENET,
        default_classes=1000,
        dropout=0.2,
        departures=googlenet.DEPARTURES,
        disagreements=googlenet2014.FLATTENING,
    ),
    Entry(
        name="googlenet2014",
        build=googlenet2014.googlenet2014,
        summary="GoogLeNet as published: table 1, local response normalisation, two auxiliary classifiers",
        paper=_SZEGEDY,
        default_input=_IMAGENET,
        default_classes=1000,
        learning_rate=_LARGE_RATE,
        dropout=0.4,
        departures=googlenet2014.DEPARTURES,
        disagreements=googlenet2014.DISAGREEMENTS,
    ),
)


def _resnet(name: str, blocks: str) -> Entry:
    deep = resnet.VARIANTS[name].branch is resnet.bottleneck
    return Entry(
        name=name,
        build=partial(resnet.resnet, name),
        summary=f"ResNet-{name.removeprefix('resnet')}, {blocks} blocks",
        paper=_HE,
        default_input=_IMAGENET,
        default_classes=1000,
        learning_rate=_LARGE_RATE,
        departures=resnet.BOTTLENECK_DEPARTURES if deep else resnet.DEPARTURES,
        disagreements=resnet.BOTTLENECK_DISAGREEMENTS if deep else resnet.DISAGREEMENTS,
    )


def _small(name: str, blocks: str) -> Entry:
    return replace(
        _resnet(name, blocks),
        name=f"{name}_small",
        build=partial(resnet.resnet, f"{name}_small"),
        summary=f"ResNet-{name.removeprefix('resnet')} with a stem that leaves small images their size",
        paper=f"after {_HE}",
        default_input=(3, 32, 32),
        default_classes=10,
        departures=(resnet.SMALL_DEPARTURE, *_resnet(name, blocks).departures),
    )


_RESNETS = (
    _resnet("resnet18", "basic"),
    _resnet("resnet34", "basic"),
    _resnet("resnet50", "bottleneck"),
    _resnet("resnet101", "bottleneck"),
    _resnet("resnet152", "bottleneck"),
    _small("resnet18", "basic"),
    _small("resnet34", "basic"),
    _small("resnet50", "bottleneck"),
)
_CIFAR_RESNETS = tuple(
    Entry(
        name=name,
        build=partial(resnet_cifar.resnet_cifar, name),
        summary=f"ResNet-{name.removeprefix('resnet')} for 32×32 images, identity shortcuts",
        paper=f"{_HE}, section 4.2",
        default_input=(3, 32, 32),
        departures=resnet_cifar.DEPARTURES,
        disagreements=resnet.DISAGREEMENTS,
    )
    for name in resnet_cifar.BLOCKS
)
ENTRIES = (*_BASICS, *_COLUMNS, *_VGGS, *_GOOGLENETS, *_RESNETS, *_CIFAR_RESNETS)
"""Every network that striate knows by name, the default first."""
