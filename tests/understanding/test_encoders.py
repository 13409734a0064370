"""The encoders, and the table that stays on the disk."""

from pathlib import Path

import numpy as np
import pytest

from bot.understanding.encoders import E5, Encoder, Use, _TableOnDisk

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


def test_rows_come_in_the_order_asked(tmp_path: Path) -> None:
    on_disk = _TableOnDisk(TABLE, tmp_path / "table.bin")
    assert np.array_equal(on_disk[np.array([4, 0, 4])], TABLE[[4, 0, 4]])


@pytest.mark.parametrize("damage", [b"", b"x" * 30])
def test_a_damaged_table_is_written_again(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "table.bin"
    path.write_bytes(damage)
    assert np.array_equal(_TableOnDisk(TABLE, path)[np.array([5])], TABLE[[5]])
