"""From the out-of-fold answers of a cross-validation to the list of images to look at again."""

from striate.data import Images, Pack
from striate.data.audit.material import Material
from striate.data.audit.review import Review, review_images
from striate.evaluation.folds import FoldsVerdict


def review_of(verdict: FoldsVerdict, images: Images, pack: Pack) -> Review:
    """What should be looked at again of the images of a cross-validation, in the order of its answers."""
    material = Material(images, pack.pixels, pack.facts[images.rows], verdict.seed, str)
    return review_images(material, verdict.out_of_fold.probabilities, verdict.pooled.balanced_accuracy)
