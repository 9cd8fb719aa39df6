"""Tags of an item: the words of its description that say what is to be seen, what was recognised, facts of its file."""

from collections.abc import Iterable

from appliance.caption.recognised import NOTHING, Recognised
from appliance.caption.words import content_words, same_sentence
from appliance.records import Facts, Kind, Source, Tag

_PANORAMA = 2.0  # the longer side over the shorter from which a photo is one


def tags(
    text: str,
    facts: Facts,
    *,
    frame_texts: Iterable[str] = (),
    refusal: str | None = None,
    recognised: Recognised = NOTHING,
) -> tuple[Tag, ...]:
    """Return the item's tags in the order of the words, then those `recognised`, then those from the file; none twice.

    `frame_texts` are a video's descriptions. A text that is the model's `refusal` ("this sample model only knows drawn
    shapes") describes nothing and gives no tags.
    """
    found: dict[str, Tag] = {}
    for sentence in (text, *frame_texts):
        if not is_refusal(sentence, refusal):
            for content in content_words(sentence):
                found.setdefault(content, Tag(content, Source.MODEL))
    for word in recognised.words:
        found.setdefault(word.text.casefold(), Tag(word.text, Source.RECOGNISER))
    for fact in file_tags(facts):
        found.setdefault(fact.casefold(), Tag(fact, Source.FILE))
    return tuple(found.values())


def file_tags(facts: Facts) -> list[str]:
    """Return what the file itself says: "video", "animated", "panorama", the year it was taken, the camera."""
    found = []
    if facts.format.kind is Kind.VIDEO:
        found.append("video")
    if facts.animated:
        found.append("animated")
    shorter, longer = sorted((facts.width, facts.height))
    if facts.format.kind is Kind.PHOTO and shorter and longer / shorter >= _PANORAMA:
        found.append("panorama")
    year = (facts.taken_at or "")[:4]
    if len(year) == 4 and year.isdecimal():
        found.append(year)
    camera = " ".join((facts.camera or "").split())
    if camera:
        found.append(camera)
    return found


def is_refusal(text: str, refusal: str | None) -> bool:
    """Whether `text` is the model's sentence for a picture that it does not know."""
    return bool(refusal) and same_sentence(text, refusal or "")
