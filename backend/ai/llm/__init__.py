"""Language models behind any OpenAI-compatible endpoint, asked for objects of a given shape. Start at `service`."""
