"""What finished runs show, as one page with its pictures."""
