"""The line to the platforms: what surely was not sent, what nobody knows of, and that nothing is asked twice."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bot.channels.http import HttpLine, MaybeSentError, NeverSentError, _proxy

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def ask(*says, timeout=5.0, port=None, heard=None, proxied=None):
    """Ask once for each of `says`: bytes that the other side writes, or None where it hangs up after reading.

    `proxied`: another address is asked for, and the other side is made its proxy by this function.
    """
    heard, served = [] if heard is None else heard, []

    async def run():
        answers = list(says)

        async def serve(reader, writer):
            served.append(writer)
            while True:
                try:
                    heard.append(await reader.readuntil(b"\r\n\r\n"))
                except asyncio.IncompleteReadError:
                    break
                said = answers.pop(0) if answers else None
                if said is None:
                    break
                writer.write(said)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        line = HttpLine(timeout)
        try:
            url = f"http://127.0.0.1:{port or server.sockets[0].getsockname()[1]}/"
            if proxied:
                proxied(url)
                url = "http://platform.invalid/there"
            return [await line.request("POST", url, headers={"a": "b"}) for _ in says]
        finally:
            await line.close()
            for writer in served:
                writer.close()
                await writer.wait_closed()
            server.close()
            await server.wait_closed()

    return asyncio.run(run()), heard


def test_an_answer_comes_whole_and_the_connection_stays():
    answers, heard = ask(OK, OK)
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"ok"), (200, b"ok")]
    assert len(heard) == 2


def test_without_a_connection_nothing_was_sent():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(NeverSentError):
            ask(OK, port=nobody.getsockname()[1])


@pytest.mark.parametrize(
    ("says", "timeout"),
    [(None, 5.0), (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", 0.2), (b"\0\0\r\n\r\n", 5.0), (b"", 0.2)],
    ids=["hangs up", "half an answer", "no HTTP", "silence"],
)
def test_after_the_request_left_nobody_knows_and_it_is_not_repeated(says, timeout):
    heard = []
    with pytest.raises(MaybeSentError):
        ask(says, timeout=timeout, heard=heard)
    assert len(heard) == 1


def test_a_line_that_broke_while_it_was_idle_is_not_asked_twice():
    """The platform closes the kept connection in the middle of the second request: unknown, never a silent repeat."""
    heard = []
    with pytest.raises(MaybeSentError):
        ask(OK, None, heard=heard)
    assert len(heard) == 2


def test_a_redirect_is_not_followed():
    (answer,), heard = ask(b"HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")
    assert (answer.status, len(heard)) == (302, 1)


def test_the_proxy_of_the_environment_is_used_and_its_exceptions_are_not(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    _proxy.cache_clear()
    answers, heard = ask(OK, proxied=lambda url: monkeypatch.setenv("http_proxy", url.replace("//", "//me:secret@")))
    assert [answer.status for answer in answers] == [200]
    assert heard[0].startswith(b"POST http://platform.invalid/there HTTP/1.1")
    assert b"proxy-authorization: basic " in heard[0].lower()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    _proxy.cache_clear()
    answers, heard = ask(OK)
    assert heard[0].startswith(b"POST / HTTP/1.1")
    _proxy.cache_clear()
