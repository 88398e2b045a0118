"""The whole table, and which rows leave the world as they found it and may share one."""

from tests.stories.contract import bodies, devices, refresh, register, reset, sign_in, transport
from tests.stories.contract.happenings import bob_registered, enters, letters_arrive, noted, registered
from tests.stories.contract.steps import BOB, Happening, Row, Step

# Each in a world of its own.
ROWS: list[Row] = [*register.ROWS, *sign_in.ROWS, *refresh.ROWS, *reset.ROWS, *devices.ROWS, *transport.ROWS]

# All in one world, which none of them changes.
HARMLESS: list[Row] = [
    *bodies.ROWS,
    *register.HARMLESS,
    *sign_in.HARMLESS,
    *refresh.HARMLESS,
    *reset.HARMLESS,
    *devices.HARMLESS,
    *transport.HARMLESS,
]

# That world: Ada and Bob are signed in, each in the browser of that name, and Ada has asked for a new password.
STANDING: tuple[Happening, ...] = (
    registered,
    bob_registered,
    enters("ada"),
    enters("bob", BOB),
    noted("ada", access="access_token", refresh="refresh_token"),
    noted("bob", bobs="access_token"),
    Step(reset.ask, reset.ASKED),
    letters_arrive,
)
