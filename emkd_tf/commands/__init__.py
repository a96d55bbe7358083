"""The commands of `emkd`, one file each."""
