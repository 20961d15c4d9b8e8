"""The tenants, and who belongs to them."""
