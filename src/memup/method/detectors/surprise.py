"""The detector `surprise`, the authors' released variant."""

from memup.method.detectors.entropy import Entropy


class Surprise(Entropy):
    """The loss of a slow copy of memory and predictor; before there is one, the entropy."""

    rescoring = "per chunk"
    nats = False
