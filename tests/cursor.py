"""The tests' mini-language for pictures: ║ is the cursor, ├…┤ is what a completion inserts."""

CURSOR = "║"
INSERTED = "├{}┤"


def parse(picture: str) -> tuple[str, int]:
    """(text, offset of the cursor). ValueError unless the picture has exactly one ║."""
    if picture.count(CURSOR) != 1:
        raise ValueError(f"a picture has one {CURSOR}, this one has {picture.count(CURSOR)}")
    offset = picture.index(CURSOR)
    return picture[:offset] + picture[offset + 1 :], offset


def show(text: str, offset: int, inserted: str = "") -> str:
    """The picture of `inserted` at `offset`, or of the bare cursor where nothing is inserted."""
    mark = INSERTED.format(inserted) if inserted else CURSOR
    return text[:offset] + mark + text[offset:]
