"""Floor 3: the loop's verbs; they know the nouns, the nouns do not know them."""
