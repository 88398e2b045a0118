"""The contract as tables: what is asked, and the whole of what is answered, on both backends.

Each row is read like a sentence: given this, who sends that gets exactly this, and then that holds. `table` has
all of them; `steps`, `happenings` and `answers` are the small machinery, which also looks for what no answer may hold.
"""

import pytest

pytest.register_assert_rewrite("tests.stories.contract.answers", "tests.stories.contract.happenings")
