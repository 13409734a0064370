"""New keys while people are known: everybody is found again, and the old keys open nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot import people
from bot.development_keys import new_keys
from bot.identifiers import SealError, Vault
from bot.keys import SEALED, rotate
from bot.messages import Address
from bot.storage.linking_models import LinkCodeRow
from bot.storage.models import AddressRow, Base, PartyRow
from tests.caseload.people import make_party
from tests.conftest import KEYS, make_service
from tests.talk import Talk

FRESH = new_keys()
BOTH = [FRESH["secret_keys"], KEYS["secret_keys"]]


@pytest.fixture
def service(settings, store, vault, clock, content, understander):
    return make_service(settings, store, vault, clock, content, understander)


def sealed_texts(store):
    return [
        text
        for table in SEALED
        for text in store.read(
            lambda c, t=table: c.execute(sa.select(t.sealed).where(t.sealed.is_not(None))).scalars().all()
        )
    ]


def test_every_table_with_something_sealed_is_rotated():
    assert {t.__tablename__ for t in SEALED} == {n for n, t in Base.metadata.tables.items() if "sealed" in t.columns}


def test_everything_is_sealed_with_the_new_key_and_people_are_found(service, store):
    Talk(service, "telegram").agrees("nl")
    make_party(service, None)
    done = store.write(lambda c: rotate(c, Vault(BOTH, KEYS["hash_key"]), None))
    assert (done.sealed, done.hashed) == (len(sealed_texts(store)), 0)
    old, new = Vault([KEYS["secret_keys"]], KEYS["hash_key"]), Vault([FRESH["secret_keys"]], KEYS["hash_key"])
    for text in sealed_texts(store):
        assert new.open(text)
        with pytest.raises(SealError):
            old.open(text)
    address = new.open(store.read(lambda c: c.execute(sa.select(AddressRow.sealed)).scalar_one()))
    assert store.read(lambda c: people.find(c, new, address)) is not None


def test_a_new_hash_key_hashes_everybody_anew_and_ends_codes(service, store):
    talk = Talk(service, "telegram").agrees("en")
    party = make_party(service, None, "P-77")
    code = {"hash": "h", "party_id": party, "expires_at": service.clock.now(), "created_at": service.clock.now()}
    store.write(lambda c: c.execute(sa.insert(LinkCodeRow).values(**code)))
    vault = Vault([KEYS["secret_keys"]], FRESH["hash_key"])
    done = store.write(lambda c: rotate(c, service.vault, vault))
    assert (done.hashed, done.codes_ended) == (2, 1)
    assert store.read(lambda c: people.find(c, service.vault, talk.address)) is None
    found = store.read(lambda c: people.find(c, vault, talk.address))
    assert found.contact.language == "en"
    reference = store.read(lambda c: c.execute(sa.select(PartyRow.reference)).scalar_one())
    assert reference == vault.lookup("party", "P-77")


def test_a_text_that_no_key_opens_changes_nothing(service, store):
    Talk(service, "telegram").agrees("nl")
    strange = Vault([new_keys()["secret_keys"]], "x").seal(Address("telegram", "1"))
    store.write(lambda c: c.execute(sa.update(AddressRow).values(sealed=strange)) and None)
    before = sealed_texts(store)
    with pytest.raises(SealError):
        store.write(lambda c: rotate(c, Vault(BOTH, KEYS["hash_key"]), None))
    assert sealed_texts(store) == before
