"""What people do, each as one request or a few, and what of it goes into the ledger."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from measure.faults.balancer import Balancer, NoAnswer
from measure.faults.ledger import Ended, Ledger, Person, claims
from measure.faults.mailbox import Mailbox
from vestibule.crypto.entropy import random_bytes

_PROBE_AFTER_SECONDS = 6.0  # one more than a server may go on answering from memory (`known.STALENESS_SECONDS`)
_LETTER_SECONDS = 5.0
_GONE = {401, 403}
_DEVICE = "device_"

Deed = Callable[["Deeds", Person], Awaitable[None]]


def new_password() -> str:
    """Return one that nobody has had."""
    return f"correct horse {random_bytes(6).hex()}"


class Deeds:
    """What people do. No method raises: a failed request is in the timeline, and a violation in the ledger."""

    def __init__(self, balancer: Balancer, ledger: Ledger, mailbox: Mailbox, ports: list[int]) -> None:
        self._balancer = balancer
        self._ledger = ledger
        self._mailbox = mailbox
        self._ports = ports
        self._probes: set[asyncio.Task[None]] = set()
        self._reads = 0

    async def register(self, person: Person) -> bool:
        """Register somebody new, and return whether it was acknowledged."""
        asked = time.monotonic()
        body = {"name": "Ada Lovelace", "email": person.email} | _twice(person.password)
        answer = await self._ask("register", "POST", "/api/auth/register", {201}, json=body)
        if answer is None or answer.status_code != 201:
            return False
        user = answer.json()["data"]["user"]
        self._expect_mine(user["email"] == person.email, f"registering {person.email} answered {user['email']}")
        person.id = user["id"]
        self._ledger.registered[person.email] = (person.id, time.monotonic())
        self._ledger.letters_due[person.email, "verifyemail"] = asked
        self._ledger.acknowledged["registration"] += 1
        return True

    async def sign_in(self, person: Person) -> None:
        answer = await self._try_password(person, person.password)
        if answer is not None and answer.status_code == 400 and person.perhaps:
            person.password, person.perhaps, person.late = person.perhaps, None, False
            answer = await self._try_password(person, person.password)
        if answer is None or answer.status_code >= 500:
            return
        if answer.status_code != 200:
            self._ledger.violate("I1", f"the password of {person.email} is answered {answer.status_code}")
            return
        self._take(person, answer)
        if person.late:
            person.unsure = True
        else:
            person.perhaps = None
        self._ledger.acknowledged["sign-in"] += 1

    async def refresh(self, person: Person) -> None:
        if not person.signed_in:
            return await self.sign_in(person)
        sent = {"Cookie": f"refresh_token={person.refresh}"}
        answer = await self._ask("refresh", "POST", "/api/auth/refresh", {200}, headers=sent)
        if answer is None or answer.status_code >= 500:
            return None
        if answer.status_code == 200:
            person.old_refresh = [*person.old_refresh, person.refresh][-3:]
            self._take(person, answer, same_session=True)
            self._ledger.acknowledged["refresh"] += 1
            return None
        return self._signed_out(person, f"refresh is answered {answer.status_code} {_code(answer)}")

    async def read(self, person: Person) -> None:
        if not person.signed_in:
            return await self.sign_in(person)
        self._reads += 1
        by_cookie = {"Cookie": f"access_token={person.access}"}
        headers = by_cookie if self._reads % 2 else {"Authorization": f"Bearer {person.access}"}
        kind = "read by cookie" if self._reads % 2 else "read by Bearer"
        answer = await self._ask(kind, "GET", "/api/users/me", {200}, headers=headers)
        if answer is None or answer.status_code >= 500:
            return None
        if answer.status_code == 200:
            shown = answer.json()["data"]["user"]
            return self._expect_mine(shown["email"] == person.email, f"me of {person.email} shows {shown['email']}")
        return self._signed_out(person, f"me is answered {answer.status_code} {_code(answer)}")

    async def sign_out(self, person: Person) -> None:
        if not person.signed_in:
            return await self.sign_in(person)
        sent = {"Authorization": f"Bearer {person.access}"}
        answer = await self._ask("logout", "POST", "/api/auth/logout", {200}, headers=sent)
        if answer is not None and answer.status_code == 200:
            self._end(person)
            self._ledger.acknowledged["log-out"] += 1
        elif answer is None or answer.status_code >= 500:
            person.unsure = True
        else:
            self._signed_out(person, f"logout is answered {answer.status_code} {_code(answer)}")
        return None

    async def change_password(self, person: Person) -> None:
        if not person.signed_in or person.perhaps:
            return await self.sign_in(person)
        new = new_password()
        body = {"currentPassword": person.password} | _twice(new)
        sent = {"Authorization": f"Bearer {person.access}", "Cookie": f"refresh_token={person.refresh}"}
        self._ledger.perhaps_void(person.email)
        answer = await self._ask("change", "PATCH", "/api/users/me/password", {200}, headers=sent, json=body)
        if answer is not None and answer.status_code == 200:
            self._end(person)
            self._ledger.dead_passwords.append((person.email, person.password))
            self._ledger.acknowledged["change"] += 1
            person.password = new
            self._take(person, answer)
        elif answer is None or answer.status_code >= 500:
            person.unsure, person.perhaps, person.late = True, new, answer is None
        elif answer.status_code == 401:
            self._signed_out(person, f"change is answered 401 {_code(answer)}")
        else:
            self._ledger.violate("I1", f"the current password of {person.email} is answered {answer.status_code}")
        return None

    async def reset_password(self, person: Person) -> None:
        """Ask for a reset letter, wait for it, and present its token at both servers at the same time."""
        if person.perhaps:
            return await self.sign_in(person)
        asked = time.monotonic()
        body = {"email": person.email}
        answer = await self._ask("forgot", "POST", "/api/auth/forgotpassword", {200}, json=body)
        if answer is None or answer.status_code != 200:
            return None
        self._ledger.letters_due.setdefault((person.email, "resetpassword"), asked)
        self._ledger.acknowledged["reset letter"] += 1
        secret = await self._secret_of(person, asked)
        return None if secret is None else await self._spend(person, secret)

    async def _secret_of(self, person: Person, asked: float) -> str | None:
        while time.monotonic() < asked + _LETTER_SECONDS:
            if found := self._mailbox.secrets(person.email, "resetpassword", asked):
                return found[-1]
            await asyncio.sleep(0.05)
        return None

    async def _spend(self, person: Person, secret: str) -> None:
        new = new_password()
        self._ledger.perhaps_void(person.email)
        statuses = await asyncio.gather(*(self._present(secret, new, port) for port in self._ports))
        if statuses.count(200) > 1:
            self._ledger.violate("I4", f"a reset token of {person.email} worked {statuses.count(200)} times at once")
        if 200 in statuses:
            self._ledger.spent_secrets.append(secret)
            self._ledger.dead_passwords.append((person.email, person.password))
            self._ledger.acknowledged["reset"] += 1
            person.password = new
            self._end(person)
        else:
            person.unsure, person.perhaps, person.late = True, new, 0 in statuses

    async def _present(self, secret: str, new: str, port: int) -> int:
        path = f"/api/auth/resetpassword/{secret}"
        answer = await self._ask("reset", "PATCH", path, {200, 403}, port, json=_twice(new))
        return answer.status_code if answer is not None else 0

    async def _try_password(self, person: Person, password: str) -> httpx.Response | None:
        body = {"email": person.email, "password": password}
        sent = {"Cookie": person.device} if person.device else {}
        return await self._ask("login", "POST", "/api/auth/login", {200}, headers=sent, json=body)

    async def _ask(
        self, kind: str, method: str, path: str, good: set[int], port: int | None = None, **request: Any
    ) -> httpx.Response | None:
        try:
            return await self._balancer.ask(kind, method, path, good, port, **request)
        except NoAnswer:
            return None

    def _take(self, person: Person, answer: httpx.Response, same_session: bool = False) -> None:
        """Keep the tokens of an answer, and check that they are this person's."""
        access = answer.json()["access_token"]
        found = claims(access)
        if person.id:
            self._expect_mine(found["sub"] == person.id, f"{person.email} was given a token of another account")
        if same_session and person.access:
            same = found["sid"] == claims(person.access)["sid"]
            self._expect_mine(same, f"{person.email} was given a token of another session")
        if not same_session:
            person.drop_session()
        person.access = access
        person.refresh = answer.cookies.get("refresh_token") or person.refresh
        devices = [f"{name}={value}" for name, value in answer.cookies.items() if name.startswith(_DEVICE)]
        person.device = devices[0] if devices else person.device

    def _end(self, person: Person) -> None:
        """Note that the end of this person's session was acknowledged, and start a task that later tries its tokens."""
        if person.signed_in:
            ended = Ended(person, person.access, person.refresh, time.monotonic())
            self._ledger.ended.append(ended)
            probe = asyncio.create_task(self._probe(ended))
            self._probes.add(probe)
            probe.add_done_callback(self._probes.discard)
        person.drop_session()

    async def probed(self) -> None:
        """Wait until the tokens of every ended session were tried."""
        if self._probes:
            await asyncio.wait(self._probes)

    async def _probe(self, ended: Ended) -> None:
        await asyncio.sleep(_PROBE_AFTER_SECONDS)
        for port in self._ports:
            sent = {"Authorization": f"Bearer {ended.access}"}
            answer = await self._ask("probe", "GET", "/api/users/me", {401, 503}, port, headers=sent)
            if answer is not None and answer.status_code == 200:
                self._ledger.violate("I2", f"a session that was ended is let in {_PROBE_AFTER_SECONDS:.0f} s later")

    def _signed_out(self, person: Person, note: str) -> None:
        """Note an answer that says the session is over. It is a violation, unless the end was asked for and not
        acknowledged.
        """
        if not person.unsure:
            self._ledger.violate("I1", f"{person.email} was signed out: {note}")
        person.drop_session()

    def _expect_mine(self, mine: bool, note: str) -> None:
        if not mine:
            self._ledger.violate("I5", note)


def _twice(password: str) -> dict[str, str]:
    return {"password": password, "passwordConfirm": password}


def _code(answer: httpx.Response) -> str:
    return str(answer.json().get("code", "")) if answer.status_code in _GONE | {400} else ""
