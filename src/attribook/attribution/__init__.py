"""Attribution methods, one file a method."""
