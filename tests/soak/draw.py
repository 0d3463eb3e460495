"""From a seed to a soak: which shops, which nights, and what happens in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tests.soak.behaviours import BEHAVIOURS, Behaviour, Draw, Factor, Fault, Rule
from tests.soak.numbers import Slack
from tests.soak.shops import LAST_DAY, SHOPS, Shop


@dataclass(frozen=True)
class Server:
    """How a soak's server makes its numbers in every night, and what that allows them."""

    realism: Rule
    slack: Slack
    is_growing: bool = True


EXACT = Server({"do": {"realism": "exact"}}, Slack(), is_growing=False)
GROWING = Server({"do": {"realism": {}}}, Slack(engaged=1))
# As a shop with over 3,000 sessions a day sees it: within six times the standard error of sessions.
ESTIMATING = Server({"do": {"realism": {"exact_up_to": 30}}}, Slack(6 * 0.023, engaged=1))
# Every other seed ends on a Sunday, whose night pulls all of the last weeks; the others must heal
# by what a usual night pulls.
_LAST_DAYS = (LAST_DAY, LAST_DAY - timedelta(days=2))
MOST_BEHAVIOURS = 3
# How many properties a home has: a night of three costs twice as much as a night of one.
_PROPERTIES = (1, 1, 2, 2, 3)


@dataclass(frozen=True)
class Night:
    """One night: its last day, and (property id, behaviour, what it came to)."""

    end: date
    faults: tuple[tuple[str, Behaviour, Fault], ...] = ()

    @property
    def rules(self) -> list[Rule]:
        """What is done to the night's requests."""
        return [rule for _, _, fault in self.faults for rule in fault.rules]

    def names(self, property_id: str) -> list[str]:
        """Behaviours of one property."""
        return [one.name for own, one, _ in self.faults if own == property_id]

    def is_mild(self, property_id: str) -> bool:
        """Whether nothing hits the property that may keep it from being published."""
        return all(one.is_mild for own, one, _ in self.faults if own == property_id)

    def factors(self, property_id: str) -> dict[date, Factor]:
        """How often days of the property are counted in this night, at least and at most."""
        found: dict[date, Factor] = {}
        for own, _, fault in self.faults:
            if own == property_id:
                for day, (low, high) in fault.factors.items():
                    before = found.get(day, (1.0, 1.0))
                    found[day] = (before[0] * low, before[1] * high)
        return found


@dataclass(frozen=True)
class Soak:
    """What one seed does. `has_zones`: the time zones are in sluice.yml, not learned."""

    seed: int
    shops: tuple[Shop, ...]
    server: Server
    has_zones: bool
    nights: tuple[Night, ...]

    @property
    def behaviours(self) -> set[str]:
        """Names of all behaviours of all nights."""
        return {one.name for night in self.nights for _, one, _ in night.faults}


def draw_soak(seed: int, nights: int = 3) -> Soak:
    """`nights` nights on consecutive days, all but the last under faults."""
    random = Random(seed)
    shops = tuple(random.sample(SHOPS, random.choice(_PROPERTIES)))
    last = random.choice(_LAST_DAYS)
    ends = [last - timedelta(days=back) for back in range(nights - 1, -1, -1)]
    drawn = [Night(end, tuple(_faults(random, shops, end))) for end in ends[:-1]]
    return Soak(
        seed, shops, random.choice((EXACT, GROWING, ESTIMATING)), random.random() < 0.5,
        (*drawn, Night(ends[-1])),
    )  # fmt: skip


def _faults(
    random: Random, shops: tuple[Shop, ...], end: date
) -> list[tuple[str, Behaviour, Fault]]:
    """One to three behaviours a property, no two of the same name; now and then none.

    One property at most is forbidden, and never the only one: then there is nobody to ask, which
    is a user's error.
    """
    found: list[tuple[str, Behaviour, Fault]] = []
    for shop in shops:
        is_enough = len(shops) == 1 or any(one.name == "forbidden" for _, one, _ in found)
        usable = [one for one in BEHAVIOURS.values() if not (is_enough and one.name == "forbidden")]
        count = random.randint(0 if len(shops) > 1 else 1, MOST_BEHAVIOURS)
        for one in random.sample(usable, count):
            found.append((shop.property_id, one, one.draw(Draw(random, shop.property_id, end))))
    return found
