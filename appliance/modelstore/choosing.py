"""The model in use, loaded on the best provider that describes as the processor does, in the variant that suits it."""

import gc
import hashlib
import logging
import time
from pathlib import Path

from appliance.caption import proof
from appliance.caption.blip import BlipCaptioner
from appliance.caption.providers import CPU, VERSION, Provider, offered, opens, unavailable
from appliance.errors import ShoeboxError, TooLittleMemoryError
from appliance.modelstore import manifest
from appliance.modelstore.proofs import TRIES, Proof, Proofs, remembered
from appliance.modelstore.variants import ON_GPU, ON_PROCESSOR, suiting, suits
from appliance.records import ModelInfo
from appliance.sentences import both, say

AUTO = "auto"

log = logging.getLogger(__name__)


class Unfit(Exception):
    """A provider is not to describe; the words follow its name in a sentence."""


class Absent(Unfit):
    """Its device or a library is not there, as with most of what onnxruntime was built with."""


class Slower(Unfit):
    """The processor is quicker, about which nothing need be done."""


def load(
    models: Path, id: str, *, provider: str = AUTO, threads: int = 0, beams: int = 1, lean: bool = False
) -> BlipCaptioner:
    """Load the model `id` on the provider of that name, for `auto` on the best one, proved against the processor.

    On a machine with nothing but the processor nothing is proved, and nothing loaded twice. What was to be expected and
    could not be had is told in the captioner's `warnings`. `lean` spares its memory. Raises ModelError where
    the model cannot be loaded, SettingsError where a provider that was chosen by its name cannot be had.
    """
    refused: list[tuple[Provider, Unfit]] = []
    found = offered(provider)
    for candidate in found:
        model = suiting(models, id, gpu=candidate.gpu)
        try:
            captioner = _loaded(models, model, candidate, threads, beams, compared=provider == AUTO, lean=lean)
        except Unfit as reason:
            log.info("%s is not taken: it %s", candidate.title, reason)
            refused.append((candidate, reason.with_traceback(None)))  # which would hold what was loaded
            gc.collect()
        else:
            captioner.warnings = (*_told(refused, candidate), *_unsuited(model, gpu=candidate.gpu))
            return captioner
    worst = next((reason for _, reason in refused if not isinstance(reason, Absent)), refused[0][1])
    raise unavailable(found[0], say("it {worst}", worst=worst))


def _loaded(
    models: Path, model: ModelInfo, candidate: Provider, threads: int, beams: int, *, compared: bool, lean: bool
) -> BlipCaptioner:
    """Return the model on a provider that is fit; where that is `compared`, also not slower than the processor."""
    if candidate == CPU:
        return BlipCaptioner.load(Path(model.folder), threads=threads, beams=beams, lean=lean)
    if not opens(candidate):
        raise Absent(say("lacks its device, its driver or one of its libraries"))
    with remembered(models) as proofs:
        key = _key(model, candidate, beams)
        captioner, known = None, proofs.find(key)
        if known is None or not (known.counts or (known.slower and compared)):
            captioner, known = _proved(model, candidate, proofs, key, threads, beams, tries=1)
        elif known.state == "begun":
            captioner, known = _proved(model, candidate, proofs, key, threads, beams, tries=known.tries + 1)
    if compared and known.slower:
        raise Slower(
            say(
                "takes {seconds:.2g} s a picture, and the processor {processor:.2g} s",
                seconds=known.seconds,
                processor=known.processor,
            )
        )
    if known.state != "good":
        raise Unfit(known.reason)
    if captioner is None:
        try:
            captioner = BlipCaptioner.load(Path(model.folder), provider=candidate, threads=threads, beams=beams)
        except ShoeboxError as error:
            raise Unfit(_reason(error)) from error
    return captioner


def _proved(
    model: ModelInfo, candidate: Provider, proofs: Proofs, key: str, threads: int, beams: int, tries: int
) -> tuple[BlipCaptioner | None, Proof]:
    """Let the processor describe, then the provider; return its captioner, where it is good, and how it went."""
    if tries > TRIES:
        return None, Proof("begun", time.time(), tries, say("ended the process that describes when it was tried"))
    proofs.keep(key, Proof("begun", time.time(), tries))
    folder = Path(model.folder)
    try:
        expected = proof.answers(BlipCaptioner.load(folder, threads=threads, beams=beams))
        gc.collect()  # two at once may not fit
        captioner = BlipCaptioner.load(folder, provider=candidate, threads=threads, beams=beams)
        same, seconds = proof.agree(expected, captioner)
    except ShoeboxError as error:
        result = Proof("bad", time.time(), tries, _reason(error))
        proofs.keep(key, result)
        return None, result
    reason = "" if same else say("describes a picture otherwise than the processor does")
    result = Proof("good" if same else "bad", time.time(), tries, reason, seconds, expected.seconds)
    proofs.keep(key, result)
    return captioner if same else None, result


def _reason(error: ShoeboxError) -> str:
    if isinstance(error, TooLittleMemoryError):
        return say("needs more memory than there is")
    return say("cannot load or run the model ({error:part})", error=error.message)


def _key(model: ModelInfo, candidate: Provider, beams: int) -> str:
    """What a proof is good for: these very files, whose hashes the manifest has, this provider and onnxruntime."""
    content = hashlib.sha256((Path(model.folder) / manifest.NAME).read_bytes()).hexdigest()
    return f"{model.id} {content[:16]} on {candidate.key}, onnxruntime {VERSION}, {beams} beams"


def _told(refused: list[tuple[Provider, Unfit]], taken: Provider) -> list[str]:
    """Return what the owner should know of those not taken: one that is broken, or a card that is not found."""
    broken: list[str] = [
        say(
            "{title} is not used, as it {reason}. Describing runs on {taken}. It is tried again tomorrow.",
            title=one.title,
            reason=reason,
            taken=taken.title,
        )
        for one, reason in refused
        if not isinstance(reason, Absent | Slower)
    ]
    there = {one.name for one, reason in refused if not isinstance(reason, Absent)}
    missing = [one.title for one, reason in refused if one.name not in there]
    if taken == CPU and missing:
        broken.append(
            say(
                "{names} cannot be used, as the device, its driver or a library is missing. Describing runs on the"
                " processor. See “Execution providers” in README, or set provider to cpu.",
                names=both(dict.fromkeys(missing)),
            )
        )
    return broken


def _unsuited(model: ModelInfo, *, gpu: bool) -> list[str]:
    if model.sample or suits(model.variant, gpu=gpu):
        return []
    better = (ON_GPU if gpu else ON_PROCESSOR)[0]
    name = model.id.removesuffix(f"-{model.variant}")
    if name.startswith("own-"):
        how = say("install it again with --variant {better}.", better=better)
    else:
        how = say("run `shoebox models install {name} --variant {better}`.", name=name, better=better)
    told = say(
        "{name} is here as {variant}, and {where} is quicker with {better}: {how}",
        name=model.name,
        variant=model.variant,
        where=say("a graphics card") if gpu else say("a processor"),
        better=better,
        how=how,
    )
    return [told]
