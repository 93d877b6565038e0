"""Gates: which ones there are, and what each last said of itself."""
