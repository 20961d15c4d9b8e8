"""Response cache: serialised bodies by request key, valid for one generation (R-CACHE)."""
