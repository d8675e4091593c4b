"""What use costs at list prices: one name for each model, dated prices, exact sums."""

from codometer.pricing.calculate import Basis, price_request
from codometer.pricing.catalogue import PriceCatalogue, TieredPrices, load_catalogue
from codometer.pricing.models import ModelId, normalise_model
from codometer.pricing.rows import Premium, PriceRow, UnitPrices

__all__ = [
    "Basis",
    "ModelId",
    "Premium",
    "PriceCatalogue",
    "PriceRow",
    "TieredPrices",
    "UnitPrices",
    "load_catalogue",
    "normalise_model",
    "price_request",
]
