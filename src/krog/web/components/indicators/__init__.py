"""How indicators are shown and their values entered, the same in portal and desk."""
