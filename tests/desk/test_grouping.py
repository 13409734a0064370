"""Questions that mean the same are put together."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.desk.grouping import Grouper, Question
from tests.fakes import ScriptedUnderstander


def grouper():
    return Grouper(ScriptedUnderstander().encode)


def test_the_same_words_are_one_group_and_the_largest_comes_first():
    asked = ["mag ik later komen", "waar is mijn pas", "mag ik later komen?", "Mag ik later komen", "waar is mijn pas?"]
    assert grouper().group([Question(text) for text in asked]) == [[0, 2, 3], [1, 4]]


def test_other_words_about_the_same_topics_are_one_group():
    likely = (("pip.when", 0.6), ("pip.what", 0.3))
    asked = [
        Question("wanneer plan", likely),
        Question("متى الخطة", likely),
        Question("fiets kapot", (("work.bike", 0.7),)),
    ]
    assert grouper().group(asked) == [[0, 1], [2]]


def test_a_batch_joins_like_words_unless_they_are_thought_to_be_about_two_topics():
    vectors = {"move it": [1, 0], "can it move": [0.6, 0.8], "bus": [-0.6, 0.8]}
    close = Grouper(lambda texts: np.array([vectors[text] for text in texts], dtype=np.float32)).closely

    def asked(*topics):
        return [
            Question(text, ((topic, 0.8),) if topic else (), "en") for text, topic in zip(vectors, topics, strict=False)
        ]

    assert close(asked("", "")) == [[0, 1]]
    assert close(asked("exam.cost", "")) == [[0, 1]]
    assert close(asked("exam.cost", "exam.register")) == [[0], [1]]
    assert close(asked("exam.cost", "", "exam.cost")) == [[0, 2], [1]], "every two of a group, not one after the other"


def test_nothing_and_one():
    assert grouper().group([]) == []
    assert grouper().group([Question("")]) == [[0]]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(max_size=12), st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1)), max_size=3)),
        max_size=12,
    )
)
def test_every_question_stands_in_exactly_one_group(rows):
    groups = grouper().group([Question(text, tuple(candidates)) for text, candidates in rows])
    assert sorted(place for group in groups for place in group) == list(range(len(rows)))
