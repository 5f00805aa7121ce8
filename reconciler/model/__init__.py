"""Documents: what people write, as typed values, and the rules that hold within and between them."""
