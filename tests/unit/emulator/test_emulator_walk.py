"""Users on their way through steps, against a search that tries every chain of events."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.emulator.server.funnel.walk import Rule, distinct_users, walk

rules = st.builds(Rule, is_direct=st.booleans(), within=st.none() | st.integers(0, 4))
# (user, pause since the event before, which of three steps it matches)
events = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.sets(st.integers(0, 2))), max_size=25
)


def chains(own: list[tuple[int, set]], given_rules: list[Rule], steps: int) -> bool:
    """Whether a user's events hold a chain through the first `steps` steps."""

    def reach(step: int, place: int) -> bool:
        if step == steps:
            return True
        for later in range(place + 1, len(own)):
            moment, matched = own[later]
            rule = given_rules[step] if step else Rule()
            if step and rule.is_direct and later != place + 1:
                continue
            if step and rule.within is not None and moment - own[place][0] > rule.within:
                continue
            if step in matched and reach(step + 1, later):
                return True
        return False

    return reach(0, -1)


def by_user(drawn: list[tuple]) -> dict[int, list[tuple[int, set]]]:
    own: dict[int, list[tuple[int, set]]] = {}
    for user, pause, matched in drawn:
        before = own[user][-1][0] if user in own else 0
        own.setdefault(user, []).append((before + pause, matched))
    return own


@given(events, st.tuples(rules, rules, rules))
def test_closed_funnels_find_every_chain(drawn: list[tuple], given_rules: tuple):
    own = by_user(drawn)
    rows = [(user, *event) for user in sorted(own) for event in own[user]]
    users = np.array([row[0] for row in rows], dtype=np.int64)
    moments = np.array([row[1] for row in rows], dtype=np.int64)
    matches = [np.array([step in row[2] for row in rows], dtype=bool) for step in range(3)]
    steps = walk(users, moments, matches, list(given_rules), is_open=False)
    for index, step in enumerate(steps):
        expected = sum(chains(one, list(given_rules), index + 1) for one in own.values())
        assert distinct_users(users, step.events) == len(step.firsts) == expected
    opened = walk(users, moments, matches, list(given_rules), is_open=True)
    for match, step in zip(matches, opened, strict=True):
        assert distinct_users(users, step.events) == len(set(users[match].tolist()))
