"""Written cases: what happens at a gate, line by line, and what must follow. The `.toml` files are the cases; `stage`, `does` and
`follows` read them."""

import pytest

pytest.register_assert_rewrite("tests.gateway.core.cases.follows")
