"""One declaration a model: what `drivers.catalogue` lists."""
