"""The integer ids that are no items. Items are 1..num_items."""

PAD_ID = 0


def mask_id(num_items: int) -> int:
    """Returns the id of the mask token, the one after the last item."""
    return num_items + 1


def vocabulary_size(num_items: int) -> int:
    """Returns the rows of an item embedding: padding, the items and the mask token."""
    return num_items + 2
