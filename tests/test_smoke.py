from tests.talk import Talk, keys


def test_a_first_question_is_kept_and_answered_after_consent(service, understander):
    understander.means("Wat is het PIP?", "answer", "pip.what", "pip.contents")
    amina = Talk(service)
    assert keys(amina.says("Wat is het PIP?")) == ["start.hello"]
    assert keys(amina.taps("lang:ar")) == ["start.who", "consent.keeps", "consent.ask"]
    got = amina.taps("consent:yes")
    print(got[0].text)
    assert keys(got)[0] == "answer:pip.what"
