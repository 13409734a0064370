"""The wall between people and answers: on the schema, on PostgreSQL's own rights, and in what is written where."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.commands.grants import DESK, RESEARCH, statements
from bot.messages import Address
from bot.storage.models import AddressRow, Base
from bot.storage.research_models import SurveyAnswerRow
from tests.caseload.people import make_actor, make_party
from tests.caseload.test_linking import letter
from tests.surveys.helping import answers_of, contact_of, invitation_states, invite, live_wave, release
from tests.talk import Talk, keys

PEOPLE = ("contact", "address", "party", "ticket", "ticket_entry", "message", "inbox", "outbox", "survey_consent")


def test_nothing_in_the_schema_leads_from_an_answer_to_a_person():
    table = SurveyAnswerRow.__table__
    assert not table.foreign_keys
    assert not any(key.column.table is table for other in Base.metadata.tables.values() for key in other.foreign_keys)
    kinds = {column.name: column.type for column in table.columns}
    assert not [name for name, kind in kinds.items() if isinstance(kind, sa.DateTime) or "contact" in name]
    assert [column.name for column in table.primary_key] == ["respondent", "wave", "item"]
    assert table.dialect_options["sqlite"]["with_rowid"] is False


def test_the_pseudonym_is_no_other_hash_of_the_person(service):
    surveyor, vault = service.conversation.surveyor, service.vault
    pseudonym = surveyor.pseudonym(7)
    assert len(pseudonym) == 32
    assert pseudonym != surveyor.pseudonym(8)
    assert pseudonym not in (vault.lookup("telegram", "7"), vault.lookup("inburgering", "7"))


@pytest.fixture
def walled(postgres_store):
    with postgres_store.engine.begin() as connection:
        for statement in statements():
            connection.execute(sa.text(statement))
    return postgres_store.engine


def may(engine, role, query):
    with engine.connect() as connection:
        connection.execute(sa.text(f"SET ROLE {role}"))
        try:
            connection.execute(sa.text(query))
        except sa.exc.ProgrammingError as error:
            assert "permission denied" in str(error)  # noqa: PT017  # another fault must not look like a refusal
            return False
        finally:
            connection.rollback()
            connection.execute(sa.text("RESET ROLE"))
        return True


def test_the_role_of_the_desk_reads_people_and_no_answer(walled):
    for table in PEOPLE:
        assert may(walled, DESK, f"SELECT * FROM {table}")
    assert may(walled, DESK, "UPDATE ticket SET helped = true")
    for query in ("SELECT value FROM survey_answer", "SELECT count(*) FROM survey_answer", "DELETE FROM survey_answer"):
        assert not may(walled, DESK, query)


def test_the_role_of_research_reads_answers_and_no_person(walled):
    assert may(walled, RESEARCH, "SELECT respondent, item, value, asked_on FROM survey_answer")
    assert may(walled, RESEARCH, "SELECT state, count(*) FROM survey_invitation GROUP BY state")
    for table in (*PEOPLE, "push", "bad_news", "audit", "actor"):
        assert not may(walled, RESEARCH, f"SELECT * FROM {table}")
    assert not may(walled, RESEARCH, "SELECT contact_id FROM survey_invitation")
    assert not may(walled, RESEARCH, "UPDATE survey_answer SET value = 'x'")


def test_the_order_of_writing_is_shut_too(walled):
    """Which transaction wrote a row, and where it lies on the disk, would tell whose message it came with."""
    assert not may(walled, RESEARCH, "SELECT xmin FROM survey_answer")
    assert not may(walled, RESEARCH, "SELECT ctid FROM survey_answer")


def everything(service):
    """Every value of every table but the answers."""
    with service.store.engine.connect() as connection:
        for name, table in Base.metadata.tables.items():
            if name != "survey_answer":
                yield from ((name, str(row)) for row in connection.execute(sa.select(table)))


def test_an_answer_is_written_nowhere_else(service):
    talk = Talk(service, "telegram").agrees("nl")
    invite(talk, "lessons_begun", {"phase": "trajectory"})
    talk.taps("survey:yes:1")
    talk.says("4")
    talk.says("10")
    words = "de docent praat te snel, bel mij op 0612345678, ik heet Samira Haddad"
    talk.says(words)
    kept = answers_of(service)["lessons_improve"]
    assert kept == "de docent praat te snel, bel mij op [phone], ik heet [name]"
    pseudonym = service.conversation.surveyor.pseudonym(contact_of(talk))
    for table, row in everything(service):
        assert "praat te snel" not in row, table
        assert pseudonym not in row, table
    with service.store.engine.connect() as connection:
        answers = str(connection.execute(sa.select(SurveyAnswerRow.__table__)).all())
    for secret in ("0612345678", "Samira", "Haddad"):
        assert secret not in answers


def test_two_channels_of_one_person_are_one_respondent(service):
    first = Talk(service, "telegram").agrees("nl")
    contact = contact_of(first)
    other = Address("console", "second")
    row = {
        "contact_id": contact,
        "channel": "console",
        "lookup": service.vault.lookup("console", "second"),
        "lane": "lane-of-second",
        "sealed": service.vault.seal(other),
        "used_at": service.clock.now().replace(year=2025),
    }
    service.store.write(lambda c: c.execute(sa.insert(AddressRow).values(**row)) and None)
    invite(first, "social_life", {})
    first.taps("survey:yes:1")
    second = Talk(service, "console", who="second")
    second.taps("survey:a:1:social_network_support:7")
    first.taps("survey:a:1:social_network_support:3")
    assert answers_of(service) == {"social_network_support": "7"}
    second.says("4")
    assert answers_of(service)["comfort_with_locals"] == "4"


def test_answers_follow_when_two_chats_turn_out_to_be_one_person_and_go_with_them(service):
    party = make_party(service, make_actor(service))
    first = Talk(service, "telegram").agrees("nl")
    first.says(letter(service, party))
    second = Talk(service, "whatsapp").agrees("ar")
    pseudonyms = [service.conversation.surveyor.pseudonym(contact_of(talk)) for talk in (first, second)]
    live_wave(service, "social_life", [contact_of(first), contact_of(second)])
    live_wave(service, "contacts", [contact_of(second)])
    service.clock.forward(timedelta(hours=1))
    release(service)
    first.taps("survey:yes:1")
    first.says("4")  # of three
    second.waits()
    second.taps("survey:yes:2")
    for answer in ("٣", "5", "2"):
        second.says(answer)
    service.clock.forward(timedelta(days=8))
    release(service)
    second.taps("ok")
    second.taps("survey:yes:3")
    second.says("1")
    assert respondents(service) == {("social_life", p): n for p, n in zip(pseudonyms, (1, 3), strict=True)} | {
        ("contacts", pseudonyms[1]): 1
    }
    assert "link.joined" in keys(second.says(letter(service, party)))
    assert respondents(service) == {("social_life", pseudonyms[0]): 3, ("contacts", pseudonyms[0]): 1}
    assert sorted(invitation_states(service)) == ["done", "merged", "started"]
    first.taps("erase:yes")
    assert respondents(service) == {}
    assert sorted(invitation_states(service)) == ["erased", "erased", "merged"]


def respondents(service):
    """How many answers hang on whom, by survey."""
    query = sa.select(SurveyAnswerRow.wave, SurveyAnswerRow.respondent, sa.func.count())
    query = query.group_by(SurveyAnswerRow.wave, SurveyAnswerRow.respondent)
    rows = service.store.read(lambda c: c.execute(query).all())
    return {(wave.rpartition("-")[0][:-8], who): n for wave, who, n in rows}


@pytest.mark.parametrize(("answered", "shown"), [(9, "survey.others_later"), (10, "survey.others")])
def test_the_end_tells_how_others_answered_when_enough_did(service, answered, shown):
    talk = Talk(service, "telegram").agrees("ar")
    common = {"wave": "before", "item": "social_network_support", "version": 1, "status": "answered", "language": "nl"}
    common |= {"asked_on": service.clock.now().date(), "channel": "telegram", "study": "Q31"}
    common |= dict.fromkeys(("type", "gender", "age_group", "route", "phase", "work_status"), "unknown")
    rows = [common | {"respondent": f"r{n}", "value": str(n % 5 + 3)} for n in range(answered)]
    service.store.write(lambda c: c.execute(sa.insert(SurveyAnswerRow), rows) and None)
    invite(talk, "social_life", {})
    talk.taps("survey:yes:1")
    talk.says("٣")
    talk.says("4")
    (end,) = talk.says("5")
    assert end.keys == ("survey.thanks", shown)


def test_erasing_a_person_deletes_the_answers(service):
    talk = Talk(service, "telegram").agrees("nl")
    invite(talk, "social_life", {})
    talk.taps("survey:yes:1")
    talk.says("4")
    assert answers_of(service)
    talk.taps("erase:yes")
    assert answers_of(service) == {}
