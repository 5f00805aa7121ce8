"""The demo: what the product promises, shown step by step on the lab's farm, each claim observed."""
