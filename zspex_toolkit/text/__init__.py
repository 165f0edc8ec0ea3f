"""Words: their normal form, and the tokens that a speech recogniser writes."""
