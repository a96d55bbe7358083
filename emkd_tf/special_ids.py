"""The integer ids that are not items. Items are 1..num_items."""

PAD_ID = 0


def mask_id(num_items: int) -> int:
    """Returns the id of the mask token, which follows the last item."""
    return num_items + 1


def vocabulary_size(num_items: int) -> int:
    """Returns how many rows an item embedding has: padding, items and mask token."""
    return num_items + 2
