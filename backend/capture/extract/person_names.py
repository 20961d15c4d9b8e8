"""Names of authors as a reader writes them: given name first, without a role."""

from __future__ import annotations

import re

_TITLES = re.compile(r"(?:jr|sr|ii|iii|iv|ph\.?\s?d|m\.?d|esq|msc|bsc|ma|ba|dds|rn|cfa|cpa)\.?", re.IGNORECASE)
_TOPIC = (
    r"art|arts|bbc|business|city|court|crime|culture|defen[cs]e|economics?|education|energy|entertainment|environment"
    r"|fashion|features|film|finance|food|foreign|games?|gaming|health|investigative|legal|music|national|news|opinion"
    r"|political|politics|science|social affairs|sports?|tech|technology|transport|travel|tv|white house|world"
)
_ROLE = re.compile(
    r"(?:(?:afp|ap|bbc|cnn|npr|reuters) )?(?:(?:assistant|associate|chief|contributing|deputy|executive|managing|senior"
    rf"|special|staff) )?(?:(?:{_TOPIC}) )?(?:columnist|contributor|correspondent|editor|journalist|reporter|writer)",
    re.IGNORECASE,
)
_WRITTEN = r"^(?:(?:written|posted|story|words|text) )?"
_BY = re.compile(rf"{_WRITTEN}by[:\s]+(?=\S)", re.IGNORECASE)
_IN_LINE = re.compile(rf"{_WRITTEN}(?:by|von|par|por|di|door|av)[:\s]+(?=\S)", re.IGNORECASE)
_BETWEEN_NAMES = re.compile(r"\s*[,;]\s+(?:and\s+)?|\s+(?:and|und|et|&)\s+")
_ADDRESS = re.compile(r"\s*[(<\[]?(?:https?://|mailto:)?[^\s()<>\[\]]+(?:://|@)[^\s()<>\[\]]+[)>\]]?")
# Words.
_LONGEST_GIVEN_NAME, SHORTEST_NAME, LONGEST_NAME = 3, 2, 5


def given_name_first(names: str) -> str:
    """Turn each "Family, Given" of a bibliographic statement, where `;` separates persons; leave what is not one."""
    return ", ".join(filter(None, (_turned(name.strip()) for name in names.split(";"))))


def _turned(name: str) -> str:
    family, _, given = (part.strip() for part in name.partition(","))
    # "Jo Reed, Vera Ohm" are two persons, "Jo Reed, PhD" is one.
    is_one_person = len(family.split()) == 1 or len(given.split()) == 1
    if len(family) < 2 or not given or "," in given or not is_one_person or _TITLES.fullmatch(given):
        return name
    return f"{given} {family}" if len(given.split()) <= _LONGEST_GIVEN_NAME else name


def without_role(name: str) -> str:
    """Remove the role behind a full name: "Ben Reed Games Editor" is Ben Reed."""
    words = name.split()
    for length in range(SHORTEST_NAME, min(len(words), LONGEST_NAME) + 1):
        if _ROLE.fullmatch(" ".join(words[length:])):
            return " ".join(words[:length]).rstrip(",")
    return name


def without_by(author: str) -> str:
    """Remove "By" in front of a name; in other languages such words begin names too."""
    return _BY.sub("", author)


def without_address(author: str) -> str:
    """Remove addresses of mail and web: "Jo Reed (https://reed.example)" is Jo Reed."""
    return _ADDRESS.sub("", author).strip()


def names_in_line(line: str) -> list[str]:
    """Return the names of a line that begins with "By"; none of another line."""
    if not (by := _IN_LINE.match(line)):
        return []
    parts = _BETWEEN_NAMES.split(" ".join(line[by.end() :].split()))
    return [without_role(part) for part in parts if part and not _TITLES.fullmatch(part)]
