"""Which provider the settings make."""

import pytest

from backend.ai.embeddings import weights
from backend.ai.embeddings.factory import create_provider
from backend.ai.embeddings.openai import RemoteEmbeddings
from backend.ai.embeddings.provider import EmbeddingsUnavailable
from config import Settings

pytestmark = pytest.mark.unit


def settings(**values):
    return Settings(_env_file=None, **values)


def test_no_provider_is_none():
    assert create_provider(settings(EMBEDDING_PROVIDER="none")) is None


def test_an_endpoint_gets_the_settings_model_and_dimension():
    provider = create_provider(
        settings(
            EMBEDDING_PROVIDER="openai",
            EMBEDDING_BASE_URL="http://127.0.0.1:1/v1",
            EMBEDDING_MODEL="some-model",
            EMBEDDING_DIMENSION=768,
        )
    )
    assert isinstance(provider, RemoteEmbeddings)
    assert (provider.model, provider.dimension) == ("some-model", 768)


def test_missing_weights_are_named_with_the_way_to_install_them(monkeypatch):
    monkeypatch.setattr(weights, "PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(EmbeddingsUnavailable, match=r"requirements-model\.txt") as refusal:
        create_provider(settings(EMBEDDING_PROVIDER="local"))
    assert not refusal.value.retryable


@pytest.mark.parametrize("wrong", [{"EMBEDDING_MODEL": "another"}, {"EMBEDDING_DIMENSION": 768}])
def test_the_local_provider_refuses_another_model(wrong):
    with pytest.raises(EmbeddingsUnavailable, match="all-MiniLM-L6-v2") as refusal:
        create_provider(settings(EMBEDDING_PROVIDER="local", **wrong))
    assert not refusal.value.retryable
