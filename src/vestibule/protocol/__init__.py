"""The protocol between Vestibule and the services behind it: code for both sides (docs/protocol/README.md).

`access_tokens` and `claims` read and judge tokens; `credentials` and `cookies` find them in a request; `other_sites`
tells which site caused a request; `revocations` holds ended sessions and accounts; `clocks` compares two clocks;
`refusals` has the texts of refusals. The other modules help both sides with files, tasks, time-outs and texts.
"""
