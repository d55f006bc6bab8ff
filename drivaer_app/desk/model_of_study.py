"""The model that a study's results are of, also where the program has another one by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from data.errors import ModelError
from drivaer_app.prediction_settings import ModelIdentity
from drivaer_app.results import Result


def model_of(model: str | None, results: Sequence[Result]) -> ModelIdentity:
    """The study's model where some result is of it, or there is none; else what is known of the one most are of.

    model: as in StudyState. Raises ModelError where that cannot be found and there is no result.
    """
    try:
        own = ModelIdentity.of(model)
    except ModelError:
        if not results:
            raise
        own = None
    signatures = Counter(result.model for result in results)
    if own is not None and (own.signature in signatures or not results):
        return own
    signature = signatures.most_common(1)[0][0]
    return _past(signature, next(result for result in results if result.model == signature), own)


def _past(signature: str, result: Result, own: ModelIdentity | None) -> ModelIdentity:
    """A model of which only its results are left: they carry their interval, and how certain differences are."""
    from gnn.model_config import Interval, ModelConfig

    known = result.cd_low is not None and result.cd_high is not None
    config = ModelConfig(
        signature,
        "its card is not at hand",
        interval=Interval((result.cd_high - result.cd_low) / 2) if known else None,
        difference=result.difference_law,
    )
    instead = f", which is {own.signature} by now" if own else ""
    card = (
        f"The results are of {signature}. It is not the study's model in this program any more{instead}, and its card "
        f"is not at hand. Predict the variants again to have results of a model that can be looked into."
    )
    return ModelIdentity(signature, "", card, config, signature)
