"""The data that striate knows by name: where they are, what they must be, under which terms, and who made them.

Hashes are those that somebody published, and `published` says who; a file without one is recorded at its first
download. Sizes are in bytes.
"""

from dataclasses import dataclass

from striate.errors import SourceError, suggestion


@dataclass(frozen=True)
class NamedFile:
    """One file: its name on disk, where it can be fetched, and the published hashes, all of which must agree.

    A hash is `algorithm:digits`; where only the first digits are published, they stand for all.
    """

    name: str
    urls: tuple[str, ...]
    hashes: tuple[str, ...] = ()
    size: int | None = None


@dataclass(frozen=True)
class NamedData:
    """One set of images: its files, who published their hashes, its licence as its source states it, its paper.

    `opened` is the file or folder, below the folder of the downloads, that a source is made of; `preparation` says
    what is done to it; `note` is what must be said with it.
    """

    name: str
    title: str
    files: tuple[NamedFile, ...]
    published: str
    licence: str
    paper: str
    images: int
    preparation: str
    opened: str = ""
    note: str = ""

    @property
    def size(self) -> int | None:
        """Bytes of all files together, or None where a size is not known."""
        sizes = [file.size for file in self.files if file.size is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None


def _mnist(name: str, size: int, md5: str, sha256: str) -> NamedFile:
    mirrors = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    )
    return NamedFile(
        name, tuple(mirror + name for mirror in mirrors), (f"sha256:{sha256}", f"md5:{md5}"), size
    )


def _fashion(name: str, size: int, md5: str, sha256: str) -> NamedFile:
    mirrors = (
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    )
    return NamedFile(
        name, tuple(mirror + name for mirror in mirrors), (f"sha256:{sha256}", f"md5:{md5}"), size
    )


_ENTRIES = (
    NamedData(
        "mnist",
        "MNIST: handwritten digits, grey 28 × 28",
        (
            _mnist(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            _mnist(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "d53e105ee54ea40749a09fcbcd1e9432",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            _mnist(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "9fb629c4189551a2d022fa330f9573f3",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            _mnist(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "ec29112dd5afa0611ce80d1b7f02629c",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
        published="MD5 by torchvision, SHA-256 by TensorFlow Datasets (LeCun's page gives none)",
        licence="CC BY-SA 3.0, as Keras' documentation states it; © Yann LeCun and Corinna Cortes",
        paper="LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998",
        images=70_000,
        preparation="the training and test files are the splits",
    ),
    NamedData(
        "fashion-mnist",
        "Fashion-MNIST: articles of clothing, grey 28 × 28",
        (
            _fashion(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            _fashion(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "25c81989df183df01b3e8a0aad5dffbe",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            _fashion(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "bef4ecab320f06d8554ea6380940ec79",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            _fashion(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "bb300cfdad3c16e7a12a480ee83cd310",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
        published="MD5 by its authors (README), SHA-256 by Keras",
        licence="MIT, © 2017 Zalando SE",
        paper="Xiao, Rasul, Vollgraf: Fashion-MNIST, arXiv:1708.07747, 2017",
        images=70_000,
        preparation="the training and test files are the splits; numbers become the names of articles",
    ),
    NamedData(
        "cifar10",
        "CIFAR-10: small photographs of ten kinds, colour 32 × 32",
        (
            NamedFile(
                "cifar-10-binary.tar.gz",
                ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
                (
                    "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                    "md5:c32a1d4ab5d03f1284b67883e8d87530",
                ),
                170_052_171,
            ),
        ),
        published="MD5 by its author (the CIFAR page), SHA-256 by TensorFlow Datasets",
        licence="none stated; the CIFAR page asks to cite the report",
        paper="Krizhevsky: Learning multiple layers of features from tiny images, 2009",
        images=60_000,
        preparation="training and test batches are the splits; the archive is read in place",
        opened="cifar-10-binary.tar.gz",
    ),
    NamedData(
        "cifar100",
        "CIFAR-100: small photographs of a hundred kinds in twenty families, colour 32 × 32",
        (
            NamedFile(
                "cifar-100-binary.tar.gz",
                ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
                (
                    "sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                    "md5:03b5dce01913d631647c71ecec9e9cb8",
                ),
                168_513_733,
            ),
        ),
        published="MD5 by its author (the CIFAR page), SHA-256 by TensorFlow Datasets",
        licence="none stated; the CIFAR page asks to cite the report",
        paper="Krizhevsky: Learning multiple layers of features from tiny images, 2009",
        images=60_000,
        preparation="labelled by the fine classes; the families are the column coarse",
        opened="cifar-100-binary.tar.gz",
    ),
    NamedData(
        "chars74k",
        "Chars74K, English, hand-drawn: 62 characters by 55 writers, colour 1200 × 900",
        (
            NamedFile(
                "EnglishHnd.tgz",
                (
                    "https://drive.google.com/uc?export=download&id=1FCH2jjo9Z1HbPVDWAEfvE3ZKaPpaXogg",
                    "http://www.ee.surrey.ac.uk/CVSSP/demos/chars74k/EnglishHnd.tgz",
                ),
            ),
        ),
        published="",
        licence="none stated; its page asks to acknowledge the source and cite the paper",
        paper="de Campos, Babu, Varma: Character recognition in natural images, VISAPP 2009",
        images=3_410,
        preparation="Sample001 to Sample062 become 0-9, A-Z, a-z; the group is the writer",
        opened="EnglishHnd.tgz",
    ),
    NamedData(
        "malaria",
        "NIH malaria cells: red blood cells with and without parasites, colour, about 130 × 130",
        (
            NamedFile(
                "cell_images.zip",
                (
                    "https://data.lhncbc.nlm.nih.gov/public/Malaria/cell_images.zip",
                    "https://ceb.nlm.nih.gov/proj/malaria/cell_images.zip",
                ),
                ("sha256:0a949556b2414159b5100192609805376654c4266d8d187be9b1922fad43c668",),
                353_452_851,
            ),
        ),
        published="SHA-256 by TensorFlow Datasets (NIH gives none)",
        licence="none stated with the file; the paper that presents it is dedicated to the public domain (CC0)",
        paper="Rajaraman et al.: Pre-trained convolutional neural networks as feature extractors toward improved "
        "malaria parasite detection in thin blood smear images, PeerJ 6:e4568, 2018",
        images=27_558,
        preparation="the group is the patient that the file name tells; a repeated folder is left out",
        opened="cell_images.zip",
    ),
    NamedData(
        "concrete-cracks",
        "Concrete cracks: surfaces of buildings of the METU campus, colour 227 × 227",
        (
            NamedFile(
                "Concrete Crack Images for Classification.rar",
                (
                    "https://data.mendeley.com/public-files/datasets/5y9wdsg2zt/files/"
                    "8a70d8a5-bce9-4291-bab9-b48cfb3e87c3/file_downloaded",
                ),
                ("sha256:08d7dc505a4f5a0330cee2fa2a1ae4b5b4f98bcffd0549b774caf7959bb1f02f",),
                241_363_336,
            ),
        ),
        published="SHA-256 by Mendeley Data, dataset 5y9wdsg2zt version 2",
        licence="CC BY 4.0",
        paper="Özgenel: Concrete crack images for classification, Mendeley Data, v2, "
        "doi:10.17632/5y9wdsg2zt.2, 2019",
        images=40_000,
        preparation="Positive and Negative are the classes",
        note="the pictures were cut from 458 photographs and do not say from which, so parts of one photograph may "
        "stand on both sides of a split, and figures on new walls will be lower",
    ),
)

REGISTRY: dict[str, NamedData] = {entry.name: entry for entry in _ENTRIES}


def entry_of(name: str) -> NamedData:
    """The entry of that name; SourceError with the nearest for an unknown one."""
    if name not in REGISTRY:
        raise SourceError(f"there are no data called {name!r}; {suggestion(name, REGISTRY)}")
    return REGISTRY[name]
