"""English words as captions use them: which say nothing by themselves, and what the dictionary gets wrong."""

import re

from simplemma import Lemmatizer
from simplemma.strategies import DefaultStrategy

# Counts and containers of a sort ("a couple of dogs", "a close up of a flower"): empty before "of", words elsewhere.
_MEASURES = re.compile(
    r"\b(?:couple|group|bunch|pair|lot|number|series|variety|set|kind|type|sort|piece|row|line|pile|stack|array|part"
    r"|close[ -]?up|view|front|back|top|side|middle|center|bottom|edge|end|corner)s? of\b"
)
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_ENGLISH = Lemmatizer(lemmatization_strategy=DefaultStrategy(low_memory=True))  # a few MB instead of 20
_POSSESSIVE = re.compile(r"['’]s?$")

# Order matters to these: "a dog behind a cat" is not "a cat behind a dog".
PLACES = frozenset(
    "left right above below under underneath beneath over behind before beside between inside outside front back top"
    " bottom toward towards into onto from through across around along against near by".split()
)

# Articles, pronouns, forms of to be, and words that only join: no difference between two sentences lies in them.
FUNCTION_WORDS = frozenset(
    "a an the this that these those there here it its itself he she they them his her hers their theirs him i me my we"
    " us our you your who whom whose which what where when while how why as if than then so such and or but nor not no"
    " is are was were be been being am has have had having do does did doing can could may might must shall should will"
    " would of in on at to for with without within up down out off about during after until against between among via"
    " per also very just only too both either each every all any some other another same own own's one's".split()
)

# Beside those, what makes no tag: places in the picture, sizes, numbers, words for the picture itself, and verbs and
# participles that only say that something is there.
_EMPTY = PLACES | frozenset(
    "one two three four five six seven eight nine ten eleven twelve several many few lot couple group bunch pair number"
    " half first second third next last finally again many more most much enough"
    " large small big little tiny huge long short tall wide narrow high low full empty various different"
    " background foreground side middle center centre corner edge end close closeup close-up"
    " picture photo photograph photography image view shot scene frame snapshot thing something someone anything"
    " kind type sort piece part set series variety row way time"
    " sit stand lie lay hold wear look see show make take get put go come use have be do let keep give try seem"
    " appear contain include feature depict consist locate place position set fill cover surround attach mount line"
    " park facing lean rest stay remain wait start begin"
    " made seen taken filled covered surrounded lined parked located placed mounted attached set shown displayed"
    " together away apart next well still even ever"
    " arafed araffe araffed".split()  # BLIP-large makes these up
)

# What simplemma 2 gets wrong or leaves alone, as far as captions use it.
_LEMMAS = {
    "leaves": "leaf", "loaves": "loaf", "shelves": "shelf", "wives": "wife", "lives": "life", "halves": "half",
    "calves": "calf", "thieves": "thief", "crosses": "cross", "masses": "mass", "lenses": "lens", "dice": "dice",
    "kiwis": "kiwi", "fantasies": "fantasy", "playing": "play", "growing": "grow", "singing": "sing",
    "swinging": "swing", "bringing": "bring", "hanging": "hang", "sitting": "sit", "cutting": "cut",
    "feeding": "feed", "baking": "bake", "burning": "burn", "crossing": "cross", "mixed": "mix", "mixes": "mix",
    "writing": "write", "drawn": "draw", "grown": "grow", "flown": "fly", "thrown": "throw", "worn": "wear",
    "grey": "gray", "colour": "color", "colours": "color", "colored": "color", "coloured": "color",
}  # fmt: skip
_AS_THEY_ARE = frozenset(
    "glasses sunglasses eyeglasses goggles binoculars headphones earphones scissors pliers tongs pants shorts trousers"
    " tights leggings overalls jeans pajamas pyjamas clothes stairs upstairs downstairs fireworks crossroads woods"
    " building painting drawing clothing wedding evening morning ceiling railing lighting landing boxing bowling"
    " fishing shopping dining living parking swimming camping hiking sailing skating skiing surfing snowboarding"
    " skateboarding king ring string wing spring swing sling thing pudding frosting icing stuffing stocking earring red"
    " bed wooden golden broken frozen fried grilled baked sliced cooked blooming sleeping dressed bus gas lens".split()
)


def lemma(word: str) -> str:
    """Return the dictionary form of a small-letter English word: "dogs" → "dog", "riding" → "ride"."""
    start, hyphen, last = word.rpartition("-")
    if last in _AS_THEY_ARE:
        return word
    return start + hyphen + (_LEMMAS.get(last) or _ENGLISH.lemmatize(last, lang="en").lower())


def words(text: str) -> list[str]:
    """Return a text's words in their order, in small letters and without possessive endings."""
    return [_POSSESSIVE.sub("", word) for word in _WORD.findall(text.lower())]


def content_words(text: str) -> list[str]:
    """Return the dictionary forms of the words that say what is to be seen, each once, in their order."""
    found: dict[str, None] = {}
    for word in words(_MEASURES.sub(" ", text.lower())):
        form = lemma(word)
        if len(form) > 1 and not {word, form} & FUNCTION_WORDS and not {word, form} & _EMPTY:
            found[form] = None
    return list(found)


def telling_words(text: str) -> list[str]:
    """Return the dictionary forms of all words but the merely joining ones: what two sentences are compared by."""
    return [lemma(word) for word in words(text) if word not in FUNCTION_WORDS]


def same_sentence(one: str, other: str) -> bool:
    """Whether two texts are the same but for letter case, spaces and punctuation."""
    return words(one) == words(other)
