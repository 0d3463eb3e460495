"""The hand-made shop of these tests, served; made anew for each file, which may change it."""

from collections.abc import Iterator

import pytest

from tests.support.emulated_shop import Shop, served_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with served_shop(tmp_path_factory.mktemp("shop")) as served:
        yield served
