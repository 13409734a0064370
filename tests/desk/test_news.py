"""What somebody is told about a list that changed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.desk import news
from bot.desk.news import News, OpenTicket, State
from bot.roles import Principal, Role
from bot.storage.models import TicketEntryRow
from tests.desk.asking import answer, ask

DESK = Principal("Sanne", frozenset({Role.DESK}))
OWN = Principal("Piet", frozenset({Role.KLANTREGISSEUR}), actor_id=7)
COORDINATOR = Principal("Noor", frozenset({Role.COORDINATOR}))
RESEARCHER = Principal("Kim", frozenset({Role.RESEARCHER}))


def ticket(number, actor_id=None, last_entry=0):
    return OpenTicket(number, actor_id, urgent=False, last_entry=last_entry)


def state(service, principal=DESK):
    return service.store.read(lambda c: news.state_of(news.open_tickets(c), principal))


def since(service, shown, principal=DESK):
    return service.store.read(lambda c: news.since(shown, news.open_tickets(c), principal))


def test_a_new_question_an_answer_and_one_more_message_each_change_the_state(service):
    seen = [state(service)]
    _, first = ask(service)
    seen.append(state(service))
    ask(service, "Nog een vraag", who="olena")
    seen.append(state(service))
    assert since(service, seen[0]) == News(new=2, gone=0, changed=True)
    assert since(service, seen[1]) == News(new=1, gone=0, changed=True)
    answer(service, first)
    assert since(service, seen[2]) == News(new=0, gone=1, changed=True)
    seen.append(state(service))
    assert len(set(seen)) == 4
    assert since(service, seen[3]) == News(new=0, gone=0, changed=False)


def test_a_message_on_an_open_question_is_a_change(service):
    _, ticket_id = ask(service)
    before = state(service)
    values = {"ticket_id": ticket_id, "kind": "question", "author": "", "text": "Hallo?", "at": service.clock.now()}
    service.store.write(lambda c: c.execute(sa.insert(TicketEntryRow).values(**values)) and None)
    assert since(service, before) == News(new=0, gone=0, changed=True)


def test_both_databases_read_the_same(store):
    assert store.read(news.open_tickets) == ()


def test_nobody_is_told_of_questions_that_are_not_theirs():
    tickets = [ticket(1), ticket(2, actor_id=7), ticket(3, actor_id=8)]
    assert [news.state_of(tickets, who).number for who in (DESK, OWN, COORDINATOR, RESEARCHER)] == [1, 1, 3, 0]
    assert news.since(news.state_of(tickets, OWN), [*tickets, ticket(4), ticket(5, actor_id=8)], OWN).changed is False


def test_a_question_that_goes_to_somebody_else_is_gone_here_and_new_there():
    before, after = [ticket(1), ticket(2, actor_id=7)], [ticket(1), ticket(2)]
    assert news.since(news.state_of(before, OWN), after, OWN) == News(new=0, gone=1, changed=True)
    assert news.since(news.state_of(before, DESK), after, DESK) == News(new=1, gone=0, changed=True)


def test_an_old_question_that_opens_again_counts_as_new():
    shown = news.state_of([ticket(5)], DESK)
    assert news.since(shown, [ticket(2), ticket(5)], DESK) == News(new=1, gone=0, changed=True)


def test_the_state_goes_into_a_page_and_comes_back():
    shown = news.state_of([ticket(5), ticket(9)], DESK)
    assert news.read_state(str(shown)) == shown


@pytest.mark.parametrize("text", ["", "-", "x-1-a", "1-x-a", "²-1-a", "-1--2-a", "9" * 500, "1-1-" + "a" * 500])
def test_a_strange_state_is_no_error(text):
    assert isinstance(news.read_state(text), State)
