"""Vestibule: sign-up, sign-in, sessions and tokens for Python teams.

    crypto  <-  protocol  <-  model  <-  state  <-  flows  <-  web, cli, observability
                   ^            ^
                   |            |
                 client    storage, mail            settings, wiring, doctor, app: put it together

Nouns and their rules are in `model`, verbs in `flows`, what has a lock or a loop in `state`; what touches the world is
a rim, one folder for each technology. An arrow points at what is imported, and nothing imports against one (contracts
in pyproject.toml). Start reading at `web/routes.py` for what can be asked, and at `flows/` for what then happens.
"""

__version__ = "0.1.0"
