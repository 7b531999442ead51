import pytest

from app.scene.assets import SceneAssets, build_assets
from tests.support.tiny import make_tiny_county
from twin.model.county import County


@pytest.fixture(scope="session")
def county() -> County:
    return make_tiny_county()


@pytest.fixture(scope="session")
def assets(county: County) -> SceneAssets:
    return build_assets(county)
