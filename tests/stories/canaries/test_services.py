"""L18: no service repeats a token or its key, for any caller and any answer of Vestibule's, in any framework."""

import logging

import pytest

from tests.stories.canaries import MARK, SERVICE_KEY, singing
from tests.stories.canaries.test_commands import HELLO, answering
from tests.unit.client.faces import kit
from tests.unit.client.test_integrations import SERVICES
from vestibule.client import CallerRefusedError, NotReachedError, Verifier

EVENTS = [("Content-Type", "text/event-stream")]
ANSWERS: dict[str, tuple[int, list[tuple[str, str]], str]] = {
    "the key is not in force": (401, [], f"Bearer {SERVICE_KEY}"),
    "a redirect": (302, [("Location", f"https://x.example/?key={SERVICE_KEY}")], ""),
    "a failure": (500, [("X-Key", SERVICE_KEY)], SERVICE_KEY),
    "no JSON, no events": (200, [], SERVICE_KEY),
    "an event that is none": (200, EVENTS, f"event: hello\ndata: {SERVICE_KEY}\n\n"),
    "times that are none": (200, EVENTS, f'event: hello\ndata: {{"protocol":1,"now":"{MARK}"}}\n\n'),
    "an echo that is none": (200, EVENTS, f'event: hello\ndata: {{"protocol":1,"now":1,"nonce":"{MARK}"}}\n\n'),
    "revocations that are none": (
        200,
        EVENTS,
        f'{HELLO}event: revoked\ndata: {{"sessions":{{"{MARK}":"{MARK}"}}}}\n\n',
    ),
    "keys that are none": (200, EVENTS, f'{HELLO}event: heartbeat\ndata: {{"true_at":1,"keys":"{MARK}"}}\n\n'),
}
TOKENS = [text.encode() for text in (MARK, f"e30.{MARK}.{MARK}", f"{MARK}.{MARK}.{MARK}", MARK * 2000)]


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_l18_whatever_vestibule_answers_the_kit_does_not_repeat_its_key(
    answer: tuple[int, list[tuple[str, str]], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "vestibule")
    with answering(answer) as url:
        verifier = Verifier(url, SERVICE_KEY)
        raised = ""
        try:
            try:
                verifier.start()
            except NotReachedError as fault:  # not in an outage
                raised = str(fault)
            with pytest.raises(CallerRefusedError) as caught:
                verifier.check(f"{MARK}.{MARK}.{MARK}")
        finally:
            verifier.close()
    refusal = caught.value
    assert caplog.text
    assert not singing(caplog.text + raised + str(refusal) + repr(refusal) + str(refusal.body) + str(refusal.headers))


@pytest.mark.parametrize("framework", SERVICES)
async def test_l18_no_framework_repeats_a_token_that_is_refused(
    framework: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    face = kit(SERVICES[framework], monkeypatch)
    for token in TOKENS:
        for headers in (
            [(b"Authorization", b"Bearer " + token)],
            [(b"Authorization", b"Bearer " + token), (b"Authorization", b"Bearer x")],
            [(b"Cookie", b"access_token=" + token)],
            [(b"Cookie", b"access_token=" + token), (b"Origin", b"https://evil.example")],
        ):
            for method in ("GET", "POST"):
                answer = await face.ask(method, headers)
                assert answer.status_code in {400, 401, 403}
                assert not singing(answer.text + str(answer.headers))
    assert not singing(caplog.text + "".join(capsys.readouterr()))
