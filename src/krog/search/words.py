"""Words as they are compared: without case and marks, without endings; distance between a word and a mistyped one."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+(?:[./-][^\W_]+)*")

#: Words of questions that say nothing of what is looked for, in the languages of the cities.
EMPTY = frozenset(
    split
    for line in (
        "kaj kje kdaj kako kdo zakaj koliko ali in je so se si na ne ni v z s za do od pri po o ob ki da bi sem imam",
        "what where when how who why is are the a an of to in on at for my i and does do not no can",
        "cosa dove quando come chi perche il la lo le gli un una di da del della per con non si e ho mio",
    )
    for split in line.split(" ")
)

#: Words that people use for the same, plain: each finds the others.
SAME = (
    frozenset({"luc", "lampa", "svetilk", "razsvetljav", "lampion", "lampada", "illuminazion", "light", "lamp"}),
    frozenset({"smeti", "odpadk", "odvoz", "rifiut", "waste", "rubbish", "garbage"}),
    frozenset({"parkirisc", "parkiranj", "parking", "parcheggi", "parkir"}),
    frozenset({"zrak", "aria", "air"}),
    frozenset({"voda", "vodovod", "acqua", "water"}),
    frozenset({"cesta", "strada", "road", "street"}),
    frozenset({"avtobus", "autobus", "bus"}),
    frozenset({"sola", "scuola", "school"}),
)
_ENDING = re.compile(r"(?:ega|emu|imi|ami|ih|im|om|em|ov|ev|ah|eh|oma|ema|a|e|i|o|u)$")


def plain(text: str) -> str:
    """Lower case, without marks on letters: `resitve` finds `rešitve`."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in folded if not unicodedata.combining(c)).replace("đ", "d").replace("\x00", " ")


def split(text: str) -> list[str]:
    """The words of a text, plain, in order; `K2.2` and `u3.2.4` are one word each."""
    return _WORD.findall(plain(text))


def stem(word: str) -> str:
    """A word without its ending where enough is left and it has no digits: `svetilke` and `svetilko` are `svetilk`."""
    if len(word) < 4 or any(c.isdigit() for c in word):
        return word
    short = _ENDING.sub("", word)
    return short if len(short) >= 3 else word[:-1] if word[-1] in "aeiou" and len(word) > 3 else word


def asked(text: str) -> list[str]:
    """The words of a question that say what is looked for, at most eight."""
    every = list(dict.fromkeys(split(text)))
    kept = [word for word in every if word not in EMPTY and (len(word) > 1 or word.isdigit())]
    return (kept or [word for word in every if len(word) > 1])[:8]


def same(word: str) -> set[str]:
    """The beginnings of words that are taken for this one, itself included."""
    own = stem(word)
    found = {own}
    for group in SAME:
        if any(own == one or stem(one) == own or word == one for one in group):
            found |= {stem(one) if len(one) > 4 else one for one in group}
    return found


def distance(a: str, b: str, most: int) -> int:
    """Letters to change, add, take out or swap; `most` + 1 where it is more than `most`."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    line = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, line = before, line, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, line[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            line.append(cost)
        if min(line) > most:
            return most + 1
    return line[-1]


def nearest(word: str, candidates: list[str], limit: int = 3) -> list[str]:
    """The words among the candidates that were probably meant; a longer word may be begun."""
    most = 1 if len(word) < 6 else 2
    scored = []
    for one in candidates:
        far = min(distance(word, one, most), distance(word, one[: len(word)], most) + (len(one) > len(word)))
        if (far <= most and one[:1] == word[:1]) or far == 1:
            scored.append((far, abs(len(one) - len(word)), one))
    return [one for _far, _length, one in sorted(scored)[:limit]]
