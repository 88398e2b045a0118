"""Print emails of the outbox as JSON lines, for programs: neither what they say, nor their links."""

import json
from collections.abc import Sequence

from vestibule.model.outbox import LetterState


def print_letters(letters: Sequence[LetterState]) -> None:
    """Print a line of JSON for each email. Times are ISO 8601; `refused_at` is null unless it was refused for good."""
    for state in letters:
        print(json.dumps(_for_programs(state)))


def _for_programs(state: LetterState) -> dict[str, object]:
    letter = state.letter
    return {
        "id": letter.id,
        "kind": letter.kind.value,
        "email": letter.email,
        "queued_at": letter.created_at.isoformat(),
        "attempts": letter.attempts,
        "due_at": state.due_at.isoformat(),
        "refused_at": state.refused_at and state.refused_at.isoformat(),
        "fault": state.last_fault,
    }
