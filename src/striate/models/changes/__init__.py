"""What a recipe changes of a network: its head, its activation, its normalisation, its pooling."""

from striate.models.changes.change import Changes, change

__all__ = ["Changes", "change"]
