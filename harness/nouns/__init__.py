"""The frozen nouns, in the order of the flow: policy, pair, records."""
