"""How numbers and times are written in each language, where Django's own form is not the local one."""
